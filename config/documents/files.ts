/** Documents on disk: the files of a directory, and umbra's own store of applied documents. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { limits } from '../../core/limits.js';
import { type ConfigProblem, errorAt } from '../problem.js';
import type { TextFile } from './document.js';
import { kustomizationIn, readKustomization } from './kustomization.js';

const storeName = 'documents.jsonl';
const documentFile = /^[^.].*\.(ya?ml|json)$/;

export interface ReadFiles {
  readonly files: TextFile[];
  readonly problems: ConfigProblem[];
}

/**
 * `readDirectory` reads every *.yaml, *.yml and *.json of the directory except `except`, by name. It skips
 * hidden files and directories. In a directory with a kustomization it reads the listed files instead.
 */
export function readDirectory(directory: string, except: string | null): ReadFiles {
  const read: ReadFiles = { files: [], problems: [] };
  readInto(read, directory, except, new Set());
  return read;
}

function readInto(read: ReadFiles, directory: string, except: string | null, seen: Set<string>): void {
  if (seen.has(directory)) return;
  seen.add(directory);
  const kustomization = kustomizationIn(directory);
  if (kustomization !== null) {
    const text = readBounded(kustomization);
    if (typeof text !== 'string') {
      if (text !== null) read.problems.push(text);
      return;
    }
    const { paths, problems } = readKustomization(directory, kustomization, text);
    read.problems.push(...problems);
    for (const path of paths) {
      if (statSync(path).isDirectory()) readInto(read, path, null, seen);
      else take(read, path);
    }
    return;
  }
  let names: string[];
  try {
    names = readdirSync(directory).filter((name) => documentFile.test(name) && name !== except);
  } catch (error) {
    read.problems.push(cantRead(directory, error));
    return;
  }
  for (const name of names.sort()) take(read, join(directory, name));
}

function take(read: ReadFiles, file: string): void {
  const text = readBounded(file);
  if (typeof text === 'string') read.files.push({ file, text });
  else if (text !== null) read.problems.push(text);
}

/** `readBounded` returns null when the path is not a file. */
export function readBounded(file: string): string | ConfigProblem | null {
  try {
    const stat = statSync(file);
    if (stat.isDirectory()) return null;
    if (stat.size > limits.documentBytes)
      return errorAt({ file, line: 1, column: 1 }, `is larger than ${limits.documentBytes} bytes`);
    return readFileSync(file, 'utf8');
  } catch (error) {
    return cantRead(file, error);
  }
}

/** `readStore` returns the lines of the store in `directory`; none when nothing was applied yet. */
export function readStore(directory: string): { lines: string[]; problem: ConfigProblem | null } {
  const file = storeFile(directory);
  try {
    if (statSync(file).size > limits.documentStoreBytes) {
      const message = `is larger than ${limits.documentStoreBytes} bytes`;
      return { lines: [], problem: errorAt({ file, line: 1, column: 1 }, message) };
    }
    const lines = readFileSync(file, 'utf8').split('\n');
    return { lines: lines.filter((line) => line !== ''), problem: null };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { lines: [], problem: null };
    return { lines: [], problem: cantRead(file, error) };
  }
}

/**
 * `writeStore` replaces the store atomically: after a crash either the old or the new lines are on disk. It
 * rejects with the error of the file system.
 */
export async function writeStore(directory: string, lines: readonly string[]): Promise<void> {
  const file = storeFile(directory);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const handle = await open(`${file}.new`, 'w', 0o600);
  try {
    await handle.writeFile(lines.map((line) => `${line}\n`).join(''));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.new`, file);
  const parent = await open(dirname(file), 'r');
  try {
    // The new name must be on disk too.
    await parent.sync();
  } finally {
    await parent.close();
  }
}

export function storeFile(directory: string): string {
  return join(directory, storeName);
}

function cantRead(file: string, error: unknown): ConfigProblem {
  const { code, message } = error as NodeJS.ErrnoException;
  const why =
    code === 'ENOENT' ? 'no such file' : code === 'EACCES' ? 'permission denied' : (code ?? message);
  return errorAt({ file, line: 1, column: 1 }, `can't be read: ${why}`);
}
