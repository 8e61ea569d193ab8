/** Settings of a rollout from a file, in YAML or JSON. What they mean, umbra checks. */
import { readFile } from 'node:fs/promises';
import { text as textOf } from 'node:stream/consumers';
import { parse } from 'yaml';

/** `-` is standard input. Rejects with one line that names the file. */
export async function settingsFrom(file: string): Promise<Record<string, unknown>> {
  const name = file === '-' ? 'standard input' : file;
  let value: unknown;
  try {
    value = parse(file === '-' ? await textOf(process.stdin) : await readFile(file, 'utf8'));
  } catch (error) {
    throw new Error(`${name}: ${(error as Error).message.split('\n')[0]}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`${name}: expected a mapping with the keys of routes[].rollout`);
  return value as Record<string, unknown>;
}
