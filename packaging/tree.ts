/** The files of an artefact, by path. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A regular file, or a symbolic link where `target` is set. */
export interface TreeFile {
  readonly content: Buffer;
  readonly executable: boolean;
  readonly target: string | null;
}

/** Keys are paths from the root of the artefact, with slashes and without one at the start. */
export type Tree = Map<string, TreeFile>;

export function file(content: Buffer | string, executable = false): TreeFile {
  return { content: typeof content === 'string' ? Buffer.from(content) : content, executable, target: null };
}

export function link(target: string): TreeFile {
  return { content: Buffer.alloc(0), executable: false, target };
}

/**
 * `addFolder` adds the files below the folder `from` to `tree`, under `to`. `wanted` receives each path below
 * `from`.
 */
export function addFolder(tree: Tree, to: string, from: string, wanted: (path: string) => boolean): void {
  for (const path of filesBelow(from, '')) {
    if (wanted(path)) tree.set(`${to}/${path}`, file(readFileSync(join(from, path))));
  }
}

/** `addTree` adds a copy of `other` to `tree`, under `to`, which is empty for the root. */
export function addTree(tree: Tree, to: string, other: Tree): void {
  for (const [path, entry] of other) tree.set(to === '' ? path : `${to}/${path}`, entry);
}

function filesBelow(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesBelow(root, path);
    return entry.isFile() ? [path] : [];
  });
}
