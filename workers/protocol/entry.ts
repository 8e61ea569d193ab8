/** The programs that threads and child processes begin with. */

/** Paths below `workers/`. `workers/bundle` makes each of them one file that contains all that it imports. */
export const entries = [
  'main/umbra',
  'main/resolver-process',
  'threads/proxy',
  'threads/shadow',
  'threads/sink',
  'threads/loader',
  'control/control',
  'control/analyst',
  'replay/reader',
  'demo/origin-thread',
  'downstream/node/descriptor-echo',
] as const;

export type Entry = (typeof entries)[number];

/**
 * False in `dist/workers`, true where this module was bundled into an entry of `dist/bundle`, which has no
 * folders.
 */
const isBundled = !import.meta.url.endsWith('/protocol/entry.js');

/**
 * `entryFile` returns the file that starts `entry`: a module if the caller is one, else the bundle's file.
 */
export function entryFile(entry: Entry): URL {
  return new URL(isBundled ? `./${bundleName(entry)}.js` : `../${entry}.js`, import.meta.url);
}

/** `bundleName` returns the name of an entry's file in `dist/bundle`, without `.js`. */
export function bundleName(entry: Entry): string {
  return entry.slice(entry.lastIndexOf('/') + 1);
}
