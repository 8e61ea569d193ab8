/** Files of the package outside `dist`. */
import { readFileSync } from 'node:fs';

/**
 * `packageFile` returns the URL of `path` in the package's root. That is two levels above this file in
 * `dist/config` and in the bundle (`dist/bundle`).
 */
export function packageFile(path: string): URL {
  return new URL(`../../${path}`, import.meta.url);
}

export function packageVersion(): string {
  return (readJson('package.json') as { version: string }).version;
}

/**
 * `builtCommit` returns the commit of this build, with `-dirty` for a modified tree, or null when it is
 * unknown.
 */
export function builtCommit(): string | null {
  try {
    return (readJson('dist/bundle/build.json') as { commit: string | null }).commit;
  } catch {
    // The build itself runs umbra before it has written the file.
    return null;
  }
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(packageFile(path), 'utf8'));
}
