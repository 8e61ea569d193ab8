/** Which source files import which, types included, and which names, read from the sources. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../../', import.meta.url));
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
  return [...found].map(([, target]) => importedFile(path, target!));
}

function importedFile(from: string, target: string): string {
  return named(join(dirname(from), target.replace(/\.js$/, '.ts')));
}

function named(path: string): string {
  return relative(root, path).split(sep).join('/');
}

const exportPattern = /^export (?:async )?(?:const|let|function\*?|(?:abstract )?class|enum) (\w+)/gm;
const namesPattern =
  /\b(?:import|export)\s+(?:type\s+)?((?:\w+,\s*)?(?:\{|\* as)[^'";]*?)\s*from\s+'(\.{1,2}\/[^']+)'/g;
const allPattern = /^export \* from\s+'(\.{1,2}\/[^']+)'/gm;
const latePattern = /\bimport\(\s*'(\.{1,2}\/[^']+)'/g;

/**
 * `unusedExports` returns what the files of `folders` export and no other of them imports, as
 * `core/clock.ts: nowUs`. Types are left out, because they are named for what others infer.
 */
export function unusedExports(folders: readonly string[]): string[] {
  const files = [...readImports(folders).keys()];
  const texts = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
  const used = new Set<string>();
  const use = (file: string, target: string, names: string): void => {
    const from = importedFile(join(root, file), target);
    for (const [name] of names.matchAll(/\w+/g)) used.add(`${from}: ${name}`);
    for (const [, passedOn] of (texts.get(from) ?? '').matchAll(allPattern)) use(from, passedOn!, names);
  };
  for (const [file, text] of texts) {
    // After `import * as all` and `import()`, any word of the file may be one of the names.
    for (const [, names, target] of text.matchAll(namesPattern)) {
      use(file, target!, names!.includes('*') ? text : names!);
    }
    for (const [, target] of text.matchAll(latePattern)) use(file, target!, text);
  }
  const exported = [...texts].flatMap(([file, text]) =>
    Array.from(text.matchAll(exportPattern), ([, name]) => `${file}: ${name}`),
  );
  return exported.filter((name) => !used.has(name));
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
