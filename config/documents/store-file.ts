/** The store of applied documents on disk. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { limits } from '../../core/limits.js';
import { type ConfigProblem, errorAt } from '../problem.js';
import { replaceFile } from '../replace-file.js';
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
  await replaceFile(storeFile(directory), lines.map((line) => `${line}\n`).join(''));
}

export function storeFile(directory: string): string {
  return join(directory, storeName);
}
