/** Files of the package that stand outside `dist`. */
import { readFileSync } from 'node:fs';

/**
 * `path` from the package's root, two levels above this file: in `dist/config`, and in the bundle that holds
 * it (`dist/bundle`).
 */
export function packageFile(path: string): URL {
  return new URL(`../../${path}`, import.meta.url);
}

export function packageVersion(): string {
  return (readJson('package.json') as { version: string }).version;
}

/** The commit that this was built from, with `-dirty` for a tree with changes; null where it is not known. */
export function builtCommit(): string | null {
  return (readJson('dist/bundle/build.json') as { commit: string | null }).commit;
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(packageFile(path), 'utf8'));
}
