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
  return (JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as { version: string }).version;
}
