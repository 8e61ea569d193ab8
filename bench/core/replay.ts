/**
 * `umbra replay` against an origin in a process of its own: how many requests a second `--speed max` reaches,
 * what of the CPUs went to umbra and what to the origin, and how late requests of a schedule go out. The
 * recording is written first, GETs and POSTs with bodies of 512 bytes: stored, compressed, and with
 * responses, whose contents are compared. The origin answers as fast as node:net allows.
 *
 *   node dist/bench/core/replay.js
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Framing } from '../../core/http/message.js';
import { compressor, memberBytesMax, stored, type WriteMember } from '../../core/recording/member.js';
import { Dates, RecordIds } from '../../core/recording/record-ids.js';
import { RecordWriter } from '../../core/recording/record-writer.js';
import { Redactor } from '../../core/recording/redactor.js';
import { redactNothingMore } from '../../core/redact.js';
import type { CopiedResponse } from '../../core/sink/sink.js';
import { Origin } from '../end-to-end/origins.js';
import { cpuOf } from '../end-to-end/proc.js';

const REQUESTS = 200_000;
const ROUNDS = 3;
const RATE = 5000;

/** What the origin answers, too. */
const text = Buffer.alloc(295, '.');
const answer: CopiedResponse = {
  status: 200,
  head: '200 OK\r\ncontent-type: text/plain\r\n',
  body: [text],
  bodyBytes: text.byteLength,
  truncated: false,
  trailers: '',
  messageTimes: '',
  latencyUs: 300,
};
const umbra = fileURLToPath(new URL('../../../bin/umbra.js', import.meta.url));
/** Run before umbra: says at its end what it used. */
const cpuTold = `data:text/javascript,${encodeURIComponent(
  "process.on('exit', () => { const { user, system } = process.cpuUsage(); process.stderr.write('cpu ' + (user + system) + '\\n'); });",
)}`;
const directory = mkdtempSync(join(tmpdir(), 'umbra-bench-'));
const origin = await Origin.start(null, 'text', '');
try {
  const files = new Map([
    ['stored', recording(stored, null)],
    ['compressed', recording(compressor(), null)],
    ['compressed with responses', recording(compressor(), answer)],
  ]);
  for (const [name, bytes] of files) writeFileSync(join(directory, name), bytes);
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of files.keys()) {
      console.log(`as fast as can be, ${name}: ${fastest(join(directory, name))}`);
      console.log(`${RATE} a second, ${name}: ${lateness(join(directory, name))}`);
    }
  }
} finally {
  await origin.stop();
  rmSync(directory, { recursive: true });
}

function fastest(file: string): string {
  const before = cpuOf([origin.pid]).cpuUs;
  const { stdout, stderr } = run(file, ['--speed', 'max', '--connections', '64']);
  const originUs = (cpuOf([origin.pid]).cpuUs - before) / REQUESTS;
  const umbraUs = Number([...stderr.matchAll(/^cpu (\d+)$/gm)].at(-1)![1]) / REQUESTS;
  const shares = `CPU a request: umbra ${umbraUs.toFixed(1)} us, origin ${originUs.toFixed(1)} us`;
  return `${/^played.*/m.exec(stdout)?.[0]}; ${shares}`;
}

function lateness(file: string): string {
  const { stdout } = run(file, ['--rate', String(RATE), '--for', '10s']);
  return /^sent late.*/m.exec(stdout)?.[0] ?? stdout;
}

function run(file: string, words: readonly string[]): { stdout: string; stderr: string } {
  const to = `http://127.0.0.1:${origin.port}`;
  const all = ['--import', cpuTold, umbra, 'replay', file, '--to', to, ...words];
  const { status, stdout, stderr } = spawnSync(process.execPath, all, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return { stdout, stderr };
}

function recording(write: WriteMember, response: CopiedResponse | null): Buffer {
  const writer = new RecordWriter(new Redactor(redactNothingMore), new RecordIds(Buffer.alloc(16, 1)));
  const dates = new Dates();
  const body = Buffer.alloc(512, 'words ');
  const records: Buffer[] = [];
  for (let i = 0; i < REQUESTS; i++) {
    const posts = i % 2 === 1;
    writer.write(
      {
        route: 'reviews',
        orderKey: 0,
        http2: false,
        offeredUs: i,
        method: posts ? 'POST' : 'GET',
        target: `/reviews/${i}`,
        host: 'reviews.example.com',
        fields: 'user-agent: Mozilla/5.0 (X11; Linux x86_64)\r\naccept: application/json\r\n',
        framing: posts ? Framing.LENGTH : Framing.NONE,
        lengthZero: false,
        body: posts ? [body] : [],
        bodyBytes: posts ? body.byteLength : 0,
        trailers: '',
        messageTimes: '',
        primary: null,
        response,
        settled: () => {},
        segmentBegun: () => {},
        redacted: () => {},
      },
      dates.text(1_800_000_000_000_000 + i * 200),
      (record) => {
        const member = Buffer.allocUnsafe(memberBytesMax(record.byteLength));
        records.push(member.subarray(0, write(record, member, 0)));
      },
    );
  }
  return Buffer.concat(records);
}
