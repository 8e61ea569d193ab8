/** The programs that threads and child processes begin with. */

/** Each with all that it needs in one file of the bundle: see `workers/bundle`. */
export const entries = [
  'umbra',
  'proxy',
  'shadow',
  'sink',
  'control',
  'loader',
  'analyst',
  'replay/reader',
  'demo/origin-thread',
  'downstream/node/descriptor-echo',
] as const;

export type Entry = (typeof entries)[number];

/** It lies beside this file: in `dist/workers`, or in the bundle that this one is part of (`dist/bundle`). */
export function entryFile(entry: Entry): URL {
  return new URL(`./${entry}.js`, import.meta.url);
}
