/** The store of applied documents on disk. */
import { readFileSync, statSync } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { limits } from '../../core/limits.js';
import { type ConfigProblem, errorAt } from '../problem.js';
import { cantRead } from './cant-read.js';

const storeName = 'documents.jsonl';

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
