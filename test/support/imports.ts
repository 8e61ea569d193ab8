/** Which source files import which, types included, read from the sources. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const importPattern = /\b(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g;

/** By file, as `core/plan.ts`: the files of the project that it imports. */
export type Imports = ReadonlyMap<string, readonly string[]>;

/** Reads all TypeScript files under `folders` of the project. */
export function readImports(folders: readonly string[]): Imports {
  const imports = new Map<string, readonly string[]>();
  for (const folder of folders) {
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
      const path = join(entry.parentPath, entry.name);
      imports.set(named(path), importsOf(path));
    }
  }
  return imports;
}

function importsOf(path: string): string[] {
  const found = readFileSync(path, 'utf8').matchAll(importPattern);
  return [...found].map(([, target]) => named(join(dirname(path), target!.replace(/\.js$/, '.ts'))));
}

function named(path: string): string {
  return relative(root, path).split(sep).join('/');
}

/** One circle of imports as a list of files, the first one again at the end; null: there is none. */
export function findCircle(imports: Imports): string[] | null {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): string[] | null => {
    if (done.has(file)) return null;
    const at = path.indexOf(file);
    if (at >= 0) return [...path.slice(at), file];
    path.push(file);
    for (const target of imports.get(file) ?? []) {
      const circle = visit(target);
      if (circle !== null) return circle;
    }
    path.pop();
    done.add(file);
    return null;
  };
  for (const file of imports.keys()) {
    const circle = visit(file);
    if (circle !== null) return circle;
  }
  return null;
}
