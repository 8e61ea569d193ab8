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

/** Entries that the build keeps as compiled code too (`compiled-start`): the process and its threads. */
const compiledEntries: readonly Entry[] = [
  'main/umbra',
  'threads/proxy',
  'threads/shadow',
  'threads/sink',
  'threads/loader',
  'control/control',
];

/**
 * False in `dist/workers`, true where this module was bundled into an entry of `dist/bundle`, which has no
 * folders.
 */
const isBundled = !import.meta.url.endsWith('/protocol/entry.js');

/**
 * `entryFile` returns the file that starts `entry`: a module if the caller is one, else the bundle's file.
 */
export function entryFile(entry: Entry): URL {
  return new URL(isBundled ? `./${bundleFile(entry)}` : `../${entry}.js`, import.meta.url);
}

/** `isCompiled` returns whether the build keeps compiled code of `entry`. */
export function isCompiled(entry: Entry): boolean {
  return compiledEntries.includes(entry);
}

/** `bundleName` returns the name of an entry's files in `dist/bundle`, without their endings. */
export function bundleName(entry: Entry): string {
  return entry.slice(entry.lastIndexOf('/') + 1);
}

/** `bundleFile` returns the name of the file in `dist/bundle` that starts `entry`. */
function bundleFile(entry: Entry): string {
  return `${bundleName(entry)}${isCompiled(entry) ? '.cjs' : '.js'}`;
}
