/**
 * Microseconds of CPU per recorded request of 1 KB, from its frames in a ring to the system's having taken
 * its bytes: all that a sink thread does, threads that write included. What offering the frames takes, a
 * proxy thread's part, is printed beside it.
 *
 *   node dist/bench/core/recording.js
 */

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nowUs, wallClockMs } from '../../core/clock.js';
import { Framing, RequestHead } from '../../core/http/message.js';
import { MirrorBounds } from '../../core/mirror/bounds.js';
import { CopySource } from '../../core/mirror/codec.js';
import { FullSlots } from '../../core/mirror/full-slots.js';
import { MirrorPort } from '../../core/mirror/port.js';
import { nothingCompared } from '../../core/plan.js';
import { MirrorCounters, MirrorField } from '../../core/record/mirror-counters.js';
import { FileSink } from '../../core/recording/file-sink.js';
import { Redactor } from '../../core/recording/redactor.js';
import { redactNothingMore } from '../../core/redact.js';
import { createDoorbell, Doorbell } from '../../core/ring/doorbell.js';
import { createRing } from '../../core/ring/layout.js';
import { RingReader } from '../../core/ring/reader.js';
import { RingWriter } from '../../core/ring/writer.js';
import { SinkMirror } from '../../core/sink/sink-mirror.js';
import { SinkReceiver } from '../../core/sink/sink-receiver.js';
import { mirrorPlan } from '../../test/core/route/support.js';

const REQUESTS = 60_000;
const ROUNDS = 5;
/** Requests that a sink thread finds when it looks. */
const BATCH = 100;
const UNPAIRED = 4;

const body = Buffer.from(
  JSON.stringify({ id: 1, text: 'so many words of a review, '.repeat(27), stars: [5, 4, 3, 2, 1] })
    .slice(0, 740)
    .padEnd(740),
);
const common =
  'user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\naccept: application/json\r\naccept-encoding: gzip, br\r\ncontent-type: application/json\r\nx-forwarded-for: 10.1.2.3\r\n';

const plan = mirrorPlan({
  to: -1,
  host: { kind: 'preserve' },
  responseBytesMax: 0,
  inFlightMax: 16 * 1024,
  timeouts: { requestMs: 1000, requestUntilEnd: false, firstByteMs: 0, idleMs: 0, totalMs: 0 },
  compare: nothingCompared,
});

for (const compress of [true, false]) {
  const rounds: { sinkUs: number; offeringUs: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push(await measure(compress));
  const best = (of: 'sinkUs' | 'offeringUs'): string => Math.min(...rounds.map((one) => one[of])).toFixed(2);
  console.log(
    `${compress ? 'compressed' : 'stored    '}  sink ${best('sinkUs')} us CPU a request, offering ${best('offeringUs')} us, best of ${ROUNDS}`,
  );
}

async function measure(compress: boolean): Promise<{ sinkUs: number; offeringUs: number }> {
  const directory = mkdtempSync(join(tmpdir(), 'umbra-bench-'));
  const ring = createRing(4 * 1024 * 1024);
  const port = new MirrorPort(new RingWriter(ring, new Doorbell(createDoorbell())), () => {});
  const receiver = new SinkReceiver([new RingReader(ring)], nowUs);
  const settings = {
    directory,
    segmentBytes: 2 ** 30,
    segmentMs: 3_600_000,
    diskBytesMax: 2 ** 40,
    compress,
  };
  const sink = new FileSink(settings, new Redactor(redactNothingMore), {
    clock: nowUs,
    wallClockMs,
    randomBytes: () => randomBytes(16),
    software: 'umbra',
    onState: () => {},
  });
  const counters = new MirrorCounters(MirrorCounters.create());
  const bounds = new MirrorBounds(0, new FullSlots(FullSlots.create()));
  bounds.follow(plan, 1);
  const mirror = new SinkMirror(plan, 'reviews', counters, bounds, sink, Math.random);
  receiver.use({ generation: 0, mirrors: [mirror], counters: [counters] });
  const head = new RequestHead();
  head.method = 'POST';
  head.host = 'reviews.example.com';
  head.framing = Framing.LENGTH;
  head.contentLength = body.byteLength;
  const source = new CopySource();
  const before = process.cpuUsage();
  let offeringUs = 0;
  for (let sent = 0; sent < REQUESTS; ) {
    const start = process.cpuUsage();
    for (let i = 0; i < BATCH; i++, sent++) {
      head.target = `/reviews/${sent % 1000}?page=${sent % 7}`;
      head.fields = `${common}x-request-id: ${sent}-4f0c-8a5d\r\n`;
      source.take(head);
      source.offeredUs = nowUs();
      port.offerHead(0, sent, source, UNPAIRED, counters);
      port.offerBody(0, sent, body, true);
    }
    port.flush();
    offeringUs += usedSince(start);
    while (receiver.drain(256) > 0);
    sink.flush();
    await new Promise(setImmediate);
  }
  await sink.close();
  const usedUs = usedSince(before);
  rmSync(directory, { recursive: true });
  if (counters.get(MirrorField.completed) !== REQUESTS)
    throw new Error(`recorded ${counters.get(MirrorField.completed)} of ${REQUESTS}`);
  return { sinkUs: (usedUs - offeringUs) / REQUESTS, offeringUs: offeringUs / REQUESTS };
}

function usedSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}
