/** The packages of npm that the bundle leaves outside, and all that they need. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageFile } from '../config/package-file.js';
import { prepareOlderGlibcCopy } from '../workers/downstream/uws/load.js';
import { isExternal } from '../workers/external.js';
import { type Architecture, nodeAbi } from './node-release.js';
import { addFolder, file, type Tree } from './tree.js';

interface Locked {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const root = fileURLToPath(packageFile('.'));
const lock = JSON.parse(readFileSync(packageFile('package-lock.json'), 'utf8')) as {
  readonly packages: Readonly<Record<string, Locked>>;
};

export const uws = 'uWebSockets.js';

/** Where only some files of a package are used. */
const used: Readonly<Record<string, readonly string[]>> = {
  [uws]: ['package.json', 'uws.js', 'ESM_wrapper.mjs'],
  uplot: ['package.json', 'LICENSE', 'dist/uPlot.esm.js', 'dist/uPlot.min.css'],
};

/** Folders at the top of a package that no program loads. */
const unusedFolders = /^(\.[^/]+|__tests__|bench(marks?)?|docs?|examples?|samples|tests?)\//;
const unusedFiles = /(\.map|\.md|\.markdown|\.[cm]?ts|\.tsbuildinfo)$/i;
const legal = /^(licen[cs]e|notice|copying)/i;

/** `externals` returns the dependencies of umbra that are not in the bundle, with their versions. */
export function externals(kind: 'dependencies' | 'optionalDependencies'): Record<string, string> {
  const all = lock.packages['']![kind] ?? {};
  return Object.fromEntries(Object.entries(all).filter(([name]) => isExternal(name)));
}

/** `production` returns `node_modules/…` as Node finds them, with the one addon of `architecture`. */
export function production(architecture: Architecture): Tree {
  const tree: Tree = new Map();
  for (const path of needed()) {
    const wanted = used[path.slice('node_modules/'.length)];
    addFolder(tree, path, join(root, path), (name) => wanted?.includes(name) ?? isUsed(name));
  }
  const addon = addonName(architecture);
  tree.set(`node_modules/${uws}/${addon}`, file(addonForOlderGlibc(addon)));
  return tree;
}

export function addonName(architecture: Architecture): string {
  return `uws_linux_${architecture}_${nodeAbi}.node`;
}

function isUsed(name: string): boolean {
  return legal.test(name) || !(unusedFolders.test(name) || unusedFiles.test(name));
}

/**
 * `addonForOlderGlibc` returns the addon as it loads on glibc 2.36 and later (decision 011). The original
 * needs 2.38, and whoever runs an installed umbra may not write a copy beside it.
 */
function addonForOlderGlibc(name: string): Buffer {
  const directory = mkdtempSync(join(tmpdir(), 'umbra-addon-'));
  try {
    copyFileSync(join(root, 'node_modules', uws, name), join(directory, name));
    const copy = prepareOlderGlibcCopy(directory, name);
    if (typeof copy !== 'string') throw new Error(copy.reason);
    return readFileSync(copy);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** `needed` returns paths of the lock file. */
function needed(): readonly string[] {
  const found = new Set<string>();
  const open: [from: string, name: string][] = [
    ...Object.keys(externals('dependencies')),
    ...Object.keys(externals('optionalDependencies')),
  ].map((name) => ['', name]);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const path = find(...next);
    if (path === null || found.has(path)) continue;
    found.add(path);
    for (const name of Object.keys(lock.packages[path]!.dependencies ?? {})) open.push([path, name]);
  }
  return [...found].sort();
}

/** `find` returns where Node finds `name` from the package at `from`, or null for an optional one. */
function find(from: string, name: string): string | null {
  for (let base = from; ; base = base.slice(0, Math.max(0, base.lastIndexOf('node_modules/') - 1))) {
    const path = `${base === '' ? '' : `${base}/`}node_modules/${name}`;
    if (lock.packages[path] !== undefined) return path;
    if (base === '') return null;
  }
}
