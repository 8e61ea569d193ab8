/**
 * `umbra record`: `umbra run` with a configuration of one route and one recording, which is written for the
 * time that it runs, and a summary at the end.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { CommandIo } from '../../config/commands/index.js';
import type { RecordOptions } from '../../config/commands/record.js';
import { dropReasons, failureReasons } from '../../core/errors.js';
import { addMirrors, type MirrorSnapshot } from '../../core/record/snapshot.js';
import { countText, spanText } from '../../core/report/figures.js';
import type { Reading } from '../../core/report/reading.js';
import type { Umbra } from '../main/main.js';
import { ProgressLine } from './progress-line.js';
import { runCommand } from './run.js';

/** Resolves with the exit code of `umbra run`. */
export async function recordCommand(options: RecordOptions, commandIo: CommandIo): Promise<number> {
  const io = new ProgressLine(commandIo);
  const directory = await mkdtemp(join(tmpdir(), 'umbra-record-'));
  const config = join(directory, 'umbra.yaml');
  await writeFile(config, JSON.stringify(configOf(options)));
  let umbra: Umbra | null = null;
  let stop: NodeJS.Timeout | undefined;
  let endProgress: (() => void) | undefined;
  // Counted from when it serves: before that nothing would be recorded, and nobody would take the signal.
  const whenReady = (running: Umbra): void => {
    umbra = running;
    endProgress = io.show(() => progressText(running));
    if (options.forMs !== null) stop = setTimeout(() => process.kill(process.pid, 'SIGTERM'), options.forMs);
  };
  try {
    const code = await runCommand(
      { config, set: [], takeover: null, readyFd: null, logLevel: options.logLevel },
      {
        // JSON has standard output to itself.
        out: (line) => (options.json ? io.err(line) : io.out(line)),
        whenReady,
        beforeLog: () => io.erase(),
      },
    );
    endProgress?.();
    if (umbra !== null) printSummary((umbra as Umbra).read(), options, io);
    return code;
  } finally {
    endProgress?.();
    clearTimeout(stop);
    await rm(directory, { recursive: true, force: true });
  }
}

const isGrpc = { 'content-type': { regex: 'application/grpc([+; ].*)?' } };

/** JSON is YAML. */
function configOf({ url, output, listen, admin, responses, percent, keepSecrets }: RecordOptions): object {
  const mirrors = [{ to: `file:${resolve(output)}`, percent, recording: { responses } }];
  return {
    listen: [{ address: listen, engine: 'node', protocols: ['http1', 'h2'] }],
    admin: admin === 'off' ? 'off' : { address: admin },
    // gRPC only goes over HTTP/2. A server of gRPC may have nothing else, and most others have HTTP/1.1.
    versions: { origin: { endpoints: [url] }, grpc: { endpoints: [url], protocol: 'http2' } },
    routes: [
      { name: 'grpc', match: { method: ['POST'], header: isGrpc }, primary: 'grpc', mirrors },
      { name: 'all', primary: 'origin', mirrors },
    ],
    ...(keepSecrets ? { redact: { defaults: false } } : {}),
  };
}

function printSummary(reading: Reading, { output, json }: RecordOptions, io: CommandIo): void {
  const counts = recordedCounts(reading);
  const { completed, keptBytes, segments, redacted } = counts;
  const dropped = byReason(dropReasons, counts.dropped);
  const failed = byReason(failureReasons, counts.failed);
  if (json) {
    const { uptimeS } = reading;
    io.out(
      JSON.stringify({
        recorded: completed,
        bytes: keptBytes,
        files: segments,
        redacted,
        dropped,
        failed,
        uptimeS,
        output,
      }),
    );
    return;
  }
  io.out(
    `recorded ${countText(completed)} requests in ${spanText(reading.uptimeS)}: ${keptBytes} bytes in ${segments} files in ${output}; secrets were hidden in ${redacted}`,
  );
  for (const [what, counted] of [
    ['dropped', dropped],
    ['failed', failed],
  ] as const) {
    const reasons = Object.entries(counted).map(([reason, count]) => `${count} ${reason}`);
    if (reasons.length > 0) io.out(`${what}: ${reasons.join(', ')}`);
  }
}

/** Both routes write one recording. */
function recordedCounts({ mirrors }: Reading): MirrorSnapshot {
  return mirrors.map(({ counts }) => counts).reduce(addMirrors);
}

/** Reasons that were counted. */
function byReason(reasons: readonly string[], counts: readonly number[]): Record<string, number> {
  return Object.fromEntries(reasons.flatMap((reason, i) => (counts[i] > 0 ? [[reason, counts[i]]] : [])));
}

function progressText(umbra: Umbra): string {
  const { completed, keptBytes, dropped } = recordedCounts(umbra.read());
  const droppedTotal = dropped.reduce((sum, count) => sum + count, 0);
  return `${completed} recorded, ${keptBytes} bytes, ${droppedTotal} dropped`;
}
