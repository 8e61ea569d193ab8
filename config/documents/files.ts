/** Reads the documents of a directory. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { limits } from '../../core/limits.js';
import { type ConfigProblem, errorAt } from '../problem.js';
import { cantRead } from './cant-read.js';
import type { TextFile } from './document.js';
import { kustomizationIn, readKustomization } from './kustomization.js';

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
