/**
 * `umbra replay` against an origin in a process of its own: how many requests a second `--speed max` reaches, and how late
 * requests of a schedule go out. The recording is written first: GETs and POSTs with bodies of 512 bytes.
 *
 *   node dist/bench/core/replay.js
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Framing } from '../../core/http/message.js';
import { memberBytesMax, stored } from '../../core/recording/member.js';
import { Dates, RecordIds } from '../../core/recording/record-ids.js';
import { RecordWriter } from '../../core/recording/record-writer.js';
import { Redactor } from '../../core/recording/redactor.js';
import { redactNothingMore } from '../../core/redact.js';
import { Origin } from '../end-to-end/origins.js';

const REQUESTS = 200_000;
const ROUNDS = 3;
const RATE = 5000;

const umbra = fileURLToPath(new URL('../../../bin/umbra.js', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'umbra-bench-'));
const file = join(directory, 'recording.warc.gz');
const origin = await Origin.start(null, 'text', '');
try {
  writeFileSync(file, recording());
  const to = ['replay', file, '--to', `http://127.0.0.1:${origin.port}`];
  for (let round = 0; round < ROUNDS; round++) {
    console.log(told(run([...to, '--speed', 'max', '--connections', '64']), /^played.*/m));
    console.log(told(run([...to, '--rate', String(RATE), '--for', '10s']), /^sent behind.*/m));
  }
} finally {
  await origin.stop();
  rmSync(directory, { recursive: true });
}

function run(words: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [umbra, ...words], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

function told(output: string, line: RegExp): string {
  return line.exec(output)?.[0] ?? output;
}

function recording(): Buffer {
  const writer = new RecordWriter(new Redactor(redactNothingMore), new RecordIds(Buffer.alloc(16, 1)));
  const dates = new Dates();
  const body = Buffer.alloc(512, 'words ');
  const records: Buffer[] = [];
  for (let i = 0; i < REQUESTS; i++) {
    const posts = i % 2 === 1;
    writer.write(
      {
        route: 'reviews',
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
        primary: null,
        response: null,
        settled: () => {},
      },
      dates.text(1_800_000_000_000_000 + i * 200),
      (record) => {
        const member = Buffer.allocUnsafe(memberBytesMax(record.byteLength));
        records.push(member.subarray(0, stored(record, member, 0)));
      },
    );
  }
  return Buffer.concat(records);
}
