/**
 * A path whose beginning `matched` is replaced by `value`, and nothing else; a slash where the two meet is
 * neither doubled nor lost, whichever of `/a`, `/a/` and `/` they are written as. The caller has seen to it
 * that the path begins so.
 */
export function replacedPrefix(matched: string, value: string): (path: string) => string {
  const replaced = withoutSlash(matched);
  const beginning = withoutSlash(value);
  return (path) => {
    const rest = path.slice(replaced.length);
    // Nothing, or the end of a word as in `/reviews-old`: what was written stands.
    if (!rest.startsWith('/')) return value === '/' && rest !== '' ? `/${rest}` : value + rest;
    return beginning + rest;
  };
}

function withoutSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}
