/** Python's warcio, the reference among readers and writers of WARC files. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { runWell } from './command.js';

const tool = fileURLToPath(new URL('../../../test/support/warc_tool.py', import.meta.url));

export interface WarcioRecord {
  readonly type: string;
  readonly format: string;
  readonly id: string;
  readonly concurrentTo: string | null;
  readonly date: string;
  readonly uri: string | null;
  /** Request line or status line. */
  readonly start: string | null;
  /** SHA-1 of the body without framing. */
  readonly bodySha: string;
}

/** False where it is there, else why a test that needs it is skipped. */
export function missingWarcio(): string | false {
  const { status } = spawnSync('python3', ['-c', 'import warcio'], { stdio: 'ignore' });
  return status === 0 ? false : 'warcio for Python is not installed';
}

export async function recordsByWarcio(path: string): Promise<WarcioRecord[]> {
  const { out } = await python([tool, 'read', path]);
  return out
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as WarcioRecord);
}

/** Five exchanges among records of other kinds and one that no server could be sent. */
export async function writeByWarcio(path: string, format: string, gzip: boolean): Promise<void> {
  await python([tool, 'write', path, format, gzip ? 'gzip' : 'plain']);
}

/** Its own check of a file; rejects where it finds something. */
export async function checkByWarcio(path: string): Promise<void> {
  await python(['-m', 'warcio.cli', 'check', path]);
}

function python(words: readonly string[]) {
  const { PYTHONPATH, HOME } = process.env;
  const env = Object.fromEntries(
    Object.entries({ PYTHONPATH, HOME }).filter(([, value]) => value !== undefined),
  ) as Record<string, string>;
  return runWell('python3', words, { env });
}
