/**
 * `umbra record`: `umbra run` with a configuration of one route and one recording, which is written for the
 * time that it runs.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { RecordOptions } from '../../config/commands/record.js';
import { runCommand } from './run.js';

/** Resolves with the exit code of `umbra run`. */
export async function recordCommand(options: RecordOptions): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'umbra-record-'));
  const config = join(directory, 'umbra.yaml');
  await writeFile(config, JSON.stringify(configOf(options)));
  let stop: NodeJS.Timeout | undefined;
  // Counted from when it serves: before that nothing would be recorded, and nobody would take the signal.
  const whenReady = (): void => {
    if (options.forMs !== null) stop = setTimeout(() => process.kill(process.pid, 'SIGTERM'), options.forMs);
  };
  try {
    return await runCommand({ config, set: [], takeover: null }, whenReady);
  } finally {
    clearTimeout(stop);
    await rm(directory, { recursive: true, force: true });
  }
}

/** JSON is YAML. */
function configOf({ url, output, listen, admin, responses, percent }: RecordOptions): object {
  return {
    listen: [{ address: listen }],
    admin: admin === 'off' ? 'off' : { address: admin },
    versions: { origin: { endpoints: [url] } },
    routes: [
      {
        name: 'all',
        primary: 'origin',
        mirrors: [{ to: `file:${resolve(output)}`, percent, recording: { responses } }],
      },
    ],
  };
}
