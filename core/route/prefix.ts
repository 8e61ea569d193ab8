/**
 * `replacedPrefix` returns a function that replaces the beginning `matched` of a path by `value`. A slash
 * where the two meet is neither doubled nor lost, whether they are written as `/a`, `/a/` or `/`. The caller
 * has checked that the path begins with `matched`.
 */
export function replacedPrefix(matched: string, value: string): (path: string) => string {
  const replaced = withoutSlash(matched);
  const beginning = withoutSlash(value);
  return (path) => {
    const rest = path.slice(replaced.length);
    // The rest is empty, or ends a word as in `/reviews-old`: `value` is used as written.
    if (!rest.startsWith('/')) return value === '/' && rest !== '' ? `/${rest}` : value + rest;
    return beginning + rest;
  };
}

function withoutSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}
