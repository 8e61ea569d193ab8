/**
 * The ring between two threads, with frames of a 300-byte payload: `node dist/bench/core/ring.js`.
 * The rivals are what Node offers for it: postMessage of a buffer, cloned or transferred.
 */
import { once } from 'node:events';
import {
  isMainThread,
  MessageChannel,
  parentPort,
  receiveMessageOnPort,
  Worker,
  workerData,
} from 'node:worker_threads';
import { createDoorbell, Doorbell } from '../../core/ring/doorbell.js';
import { FrameType } from '../../core/ring/frame.js';
import { createRing } from '../../core/ring/layout.js';
import { type FrameHandler, RingReader } from '../../core/ring/reader.js';
import { RingWriter } from '../../core/ring/writer.js';
import { measured, printTable } from './measure.js';

const PAYLOAD_BYTES = 300;
const RING_BYTES = 1024 * 1024;
const BATCH = 16;
const RING_FRAMES = 6_000_000;
const MESSAGES = 300_000;

/** A wire string, which is what the proxy thread has at hand. */
const payload = 'GET /reviews/7 HTTP/1.1\r\n'.padEnd(PAYLOAD_BYTES, 'x');

interface ProducerTask {
  readonly kind: 'ring' | 'clone' | 'transfer';
  readonly ring: SharedArrayBuffer;
  readonly doorbell: SharedArrayBuffer;
  readonly frames: number;
}

if (isMainThread) await main();
else produce(workerData as ProducerTask);

async function main(): Promise<void> {
  oneThread();
  await twoThreads();
}

function oneThread(): void {
  const ring = createRing(RING_BYTES);
  const writer = new RingWriter(ring, new Doorbell(createDoorbell()));
  const reader = new RingReader(ring);
  const drop: FrameHandler = { onFrame: () => {} };
  const plain = Buffer.alloc(RING_BYTES);
  const { port1, port2 } = new MessageChannel();

  printTable('one offer of 300 bytes, and its share of an empty drain', [
    measured('no-op: the string written to a plain Buffer', (times) => {
      let written = 0;
      for (let i = 0; i < times; i++) written += plain.write(payload, (i * 320) & 0xfff00, 'latin1');
      return written;
    }),
    measured('claim, write, publish each', (times) => offers(writer, reader, drop, times, 1)),
    measured(`claim, write, publish per ${BATCH}`, (times) => offers(writer, reader, drop, times, BATCH)),
    measured('rival: postMessage of a Buffer, and its receipt', (times) => {
      let received = 0;
      for (let i = 0; i < times; i++) {
        port1.postMessage(Buffer.from(payload, 'latin1'));
        if (receiveMessageOnPort(port2) !== undefined) received++;
      }
      return received;
    }),
  ]);

  while (writer.claim(FrameType.BODY, 0, 0, 0, 0, PAYLOAD_BYTES) >= 0);
  printTable('one refused offer', [
    measured('no-op', (times) => {
      let sum = 0;
      for (let i = 0; i < times; i++) sum += i & 3;
      return sum;
    }),
    measured('claim on a full ring', (times) => {
      let sum = 0;
      for (let i = 0; i < times; i++) sum += writer.claim(FrameType.BODY, 0, 0, i, 0, PAYLOAD_BYTES);
      return sum;
    }),
    measured('rival: an exception thrown and caught', (times) => {
      let sum = 0;
      for (let i = 0; i < times; i++) {
        try {
          refuse(i);
        } catch {
          sum++;
        }
      }
      return sum;
    }),
  ]);
  port1.close();
}

function offers(
  writer: RingWriter,
  reader: RingReader,
  drop: FrameHandler,
  times: number,
  batch: number,
): number {
  let sum = 0;
  for (let i = 0; i < times; i++) {
    const start = writer.claim(FrameType.HEAD, 0, 1, i, 1, PAYLOAD_BYTES);
    if (start < 0) {
      writer.publish();
      reader.drain(drop, RING_BYTES);
      continue;
    }
    sum += writer.bytes.write(payload, start, 'latin1');
    if (i % batch === batch - 1) writer.publish();
  }
  return sum;
}

function refuse(i: number): never {
  throw new Error(`full ${i}`);
}

async function twoThreads(): Promise<void> {
  console.log(`\nbetween two threads, ${PAYLOAD_BYTES}-byte payloads`);
  const rates = new Map<string, number>();
  rates.set('no-op: the producer alone, no consumer, no ring', noOpRate());
  rates.set(`ring, publish per ${BATCH}`, await ringRate());
  rates.set('rival: postMessage, cloned', await messageRate('clone'));
  rates.set('rival: postMessage, transferred', await messageRate('transfer'));
  const rival = rates.get('rival: postMessage, cloned')!;
  for (const [name, rate] of rates) {
    const millions = (rate / 1e6).toFixed(2).padStart(7);
    console.log(`  ${name.padEnd(52)} ${millions} million/s   x ${(rate / rival).toFixed(1)} of the rival`);
  }
}

function noOpRate(): number {
  const plain = Buffer.alloc(RING_BYTES);
  const begin = performance.now();
  for (let i = 0; i < RING_FRAMES; i++) plain.write(payload, (i * 320) & 0xfff00, 'latin1');
  return perSecond(RING_FRAMES, begin);
}

async function ringRate(): Promise<number> {
  const ring = createRing(RING_BYTES);
  const doorbell = createDoorbell();
  const reader = new RingReader(ring);
  let bytesSeen = 0;
  const handler: FrameHandler = {
    onFrame({ bytes, start, end }) {
      bytesSeen += bytes[start]! + (end - start);
    },
  };
  const worker = startProducer({ kind: 'ring', ring, doorbell, frames: RING_FRAMES });
  const exit = once(worker, 'exit');
  await once(worker, 'online');
  while (reader.isEmpty());
  const begin = performance.now();
  for (let frames = 0; frames < RING_FRAMES; ) frames += reader.drain(handler, 1024);
  const rate = perSecond(RING_FRAMES, begin);
  await exit;
  if (bytesSeen !== RING_FRAMES * (PAYLOAD_BYTES + payload.charCodeAt(0)))
    throw new Error('frames were lost');
  return rate;
}

async function messageRate(kind: 'clone' | 'transfer'): Promise<number> {
  const unused = createRing(1024);
  const worker = startProducer({ kind, ring: unused, doorbell: createDoorbell(), frames: MESSAGES });
  let begin = 0;
  let messages = 0;
  return new Promise((resolve) => {
    worker.on('message', () => {
      if (messages++ === 0) begin = performance.now();
      if (messages === MESSAGES) resolve(perSecond(MESSAGES, begin));
    });
  });
}

function startProducer(task: ProducerTask): Worker {
  return new Worker(new URL(import.meta.url), { workerData: task });
}

function produce(task: ProducerTask): void {
  if (task.kind === 'ring') produceFrames(task);
  else for (let i = 0; i < task.frames; i++) post(task.kind === 'transfer');
}

function produceFrames(task: ProducerTask): void {
  const writer = new RingWriter(task.ring, new Doorbell(task.doorbell));
  for (let i = 0; i < task.frames; ) {
    const start = writer.claim(FrameType.HEAD, 0, 1, i, 1, PAYLOAD_BYTES);
    if (start < 0) {
      writer.publish();
      continue;
    }
    writer.bytes.write(payload, start, 'latin1');
    if (i++ % BATCH === BATCH - 1) writer.publish();
  }
  writer.publish();
}

function post(transfer: boolean): void {
  const bytes = new Uint8Array(PAYLOAD_BYTES);
  Buffer.from(bytes.buffer).write(payload, 0, 'latin1');
  parentPort!.postMessage(bytes, transfer ? [bytes.buffer] : []);
}

function perSecond(count: number, beginMs: number): number {
  return (count / (performance.now() - beginMs)) * 1e3;
}
