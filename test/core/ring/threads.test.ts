import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { createDoorbell, Doorbell } from '../../../core/ring/doorbell.js';
import { createRing, openRing, usedBytes } from '../../../core/ring/layout.js';
import { type FrameHandler, RingReader } from '../../../core/ring/reader.js';
import { RingWriter } from '../../../core/ring/writer.js';
import t from '../../support/tap.js';
import type { ConsumerTask } from './fixtures/consumer.js';
import type { ProducerTask } from './fixtures/producer.js';
import { payloadBytesOf, payloadIsWhole, Tally } from './support.js';

/** Longer than any test may take: a wake-up that was lost shows as a test that does not end. */
const PARK_MS = 120_000;

function startProducer(task: ProducerTask): Worker {
  return new Worker(new URL('./fixtures/producer.js', import.meta.url), { workerData: task, execArgv: [] });
}

function startConsumer(task: ConsumerTask): Worker {
  return new Worker(new URL('./fixtures/consumer.js', import.meta.url), { workerData: task, execArgv: [] });
}

/** A consumer of `frames` frames of `ring`, with what it counts. */
function consumerTask(ring: SharedArrayBuffer, frames: number): { task: ConsumerTask; counts: Int32Array } {
  const doorbell = createDoorbell();
  const deliveries = new SharedArrayBuffer(frames);
  const tally = new SharedArrayBuffer(4 * Tally.WORDS);
  const counts = new Int32Array(tally);
  counts[Tally.LAST_ID] = -1;
  const { payloadBytesMax } = new RingWriter(ring, new Doorbell(doorbell));
  return { task: { ring, doorbell, payloadBytesMax, deliveries, tally }, counts };
}

/** Resolves when `tally` says that at least `frames` were handled. */
async function framesHandled(tally: Int32Array, frames: number): Promise<void> {
  for (;;) {
    const seen = Atomics.load(tally, Tally.FRAMES);
    if (seen >= frames) return;
    const waiting = Atomics.waitAsync(tally, Tally.FRAMES, seen, PARK_MS);
    if (waiting.async && (await waiting.value) === 'timed-out') throw new Error(`stuck at ${seen} frames`);
  }
}

t.test('every frame crosses from thread to thread once, whole and in order', async (t) => {
  const frames = 30_000;
  // Small, and its positions wrap on the way.
  const ring = createRing(16 * 1024, 2 ** 31 - 64 * 1024);
  const { task, counts } = consumerTask(ring, frames);
  const { doorbell, deliveries } = task;

  const consumer = startConsumer(task);
  const producer = startProducer({ ring, doorbell, frames, generation: 0, batch: 5, handled: null });
  await once(producer, 'exit');
  await framesHandled(counts, frames);
  await consumer.terminate();

  t.equal(counts[Tally.FRAMES], frames);
  t.equal(counts[Tally.SPOILT], 0, 'no frame is spoilt');
  t.equal(counts[Tally.OUT_OF_ORDER], 0, 'none is out of order');
  t.ok(new Uint8Array(deliveries).every((times) => times === 1));
});

t.test('no wake-up is lost when every frame finds the consumer parked, or about to park', async (t) => {
  const frames = 5000;
  const ring = createRing(16 * 1024);
  const bell = createDoorbell();
  const handled = new SharedArrayBuffer(4);
  const counter = new Int32Array(handled);
  const reader = new RingReader(ring);
  const doorbell = new Doorbell(bell);
  let parked = 0;
  const handler: FrameHandler = {
    onFrame({ exchangeId }) {
      if (exchangeId !== counter[0]) throw new Error(`frame ${exchangeId} came as number ${counter[0]}`);
      Atomics.store(counter, 0, exchangeId + 1);
      Atomics.notify(counter, 0);
    },
  };

  const producer = startProducer({ ring, doorbell: bell, frames, generation: 0, batch: 1, handled });
  const producerExit = once(producer, 'exit');
  await new Promise<void>((resolve) => {
    function turn(): void {
      reader.drain(handler, 1);
      if (counter[0] === frames) {
        resolve();
        return;
      }
      parked++;
      doorbell.park(() => reader.isEmpty(), PARK_MS, turn);
    }
    turn();
  });
  await producerExit;
  t.ok(parked >= frames / 2, `parked ${parked} times`);
});

t.test('one doorbell wakes a consumer of several producers', async (t) => {
  const producers = 3;
  const frames = 1500;
  const bell = createDoorbell();
  const doorbell = new Doorbell(bell);
  const rings = Array.from({ length: producers }, () => createRing(16 * 1024));
  const counters = rings.map(() => new SharedArrayBuffer(4));
  const readers = rings.map((ring) => new RingReader(ring));
  const handlers = counters.map((shared): FrameHandler => {
    const counter = new Int32Array(shared);
    return {
      onFrame({ exchangeId }) {
        Atomics.store(counter, 0, exchangeId + 1);
        Atomics.notify(counter, 0);
      },
    };
  });
  const workers = rings.map((ring, i) =>
    startProducer({ ring, doorbell: bell, frames, generation: 0, batch: 1, handled: counters[i]! }),
  );
  const exits = workers.map((worker) => once(worker, 'exit'));
  let delivered = 0;
  await new Promise<void>((resolve) => {
    function turn(): void {
      for (const [i, reader] of readers.entries()) delivered += reader.drain(handlers[i]!, 16);
      if (delivered === producers * frames) resolve();
      else doorbell.park(() => readers.every((reader) => reader.isEmpty()), PARK_MS, turn);
    }
    turn();
  });
  await Promise.all(exits);
  t.equal(delivered, producers * frames);
});

t.test('producers that are terminated in mid-stream leave whole frames without a gap', async (t) => {
  const kills = 12;
  const ring = createRing(64 * 1024, 2 ** 32 - 512 * 1024);
  const bell = createDoorbell();
  const doorbell = new Doorbell(bell);
  const reader = new RingReader(ring);
  const { payloadBytesMax } = new RingWriter(ring, doorbell);
  const nextId = new Array<number>(kills).fill(0);
  let spoilt = 0;
  let onFrameOf: (generation: number) => void = () => {};
  const handler: FrameHandler = {
    onFrame({ exchangeId, generation, bytes, start, end }) {
      const whole =
        exchangeId === nextId[generation] &&
        end - start === payloadBytesOf(exchangeId, payloadBytesMax) &&
        payloadIsWhole(bytes, start, end, exchangeId);
      if (!whole) spoilt++;
      nextId[generation] = exchangeId + 1;
      onFrameOf(generation);
    },
  };
  let stopped = false;
  function turn(): void {
    if (reader.drain(handler, 64) > 0) setImmediate(turn);
    else if (!stopped) doorbell.park(() => reader.isEmpty(), 10, turn);
  }
  turn();

  for (let generation = 0; generation < kills; generation++) {
    const begun = new Promise<void>((resolve) => {
      onFrameOf = (of) => {
        // Not always at the same frame.
        if (of === generation && nextId[generation]! > generation * 37) resolve();
      };
    });
    const frames = 2 ** 30;
    const producer = startProducer({ ring, doorbell: bell, frames, generation, batch: 3, handled: null });
    await begun;
    await producer.terminate();
  }
  while (reader.drain(handler, 64) > 0);
  stopped = true;
  t.equal(spoilt, 0);
  t.ok(nextId.every((frames) => frames > 0));
  t.equal(usedBytes(openRing(ring)), 0);
});

t.test(
  'consumers that are terminated in mid-stream lose at most the frame in hand, and repeat none',
  async (t) => {
    const kills = 8;
    const frames = 40_000;
    const ring = createRing(64 * 1024);
    const { task, counts } = consumerTask(ring, frames);
    const { doorbell, deliveries } = task;

    const producer = startProducer({ ring, doorbell, frames, generation: 0, batch: 4, handled: null });
    const producerExit = once(producer, 'exit');
    for (let kill = 1; kill <= kills; kill++) {
      const consumer = startConsumer(task);
      await framesHandled(counts, (frames / (kills + 2)) * kill);
      await consumer.terminate();
    }
    const last = startConsumer(task);
    await producerExit;
    // The ring is empty when the last consumer has stored HEAD behind the last frame.
    const control = openRing(ring);
    while (usedBytes(control) > 0) await new Promise((resolve) => setImmediate(resolve));
    await last.terminate();

    const times = new Uint8Array(deliveries);
    const missing = times.filter((n) => n === 0).length;
    t.equal(times.filter((n) => n > 1).length, 0, 'no frame was delivered twice');
    t.ok(missing <= kills, `${missing} frames lost in ${kills} deaths`);
    t.equal(counts[Tally.OUT_OF_ORDER], 0);
    t.equal(counts[Tally.SPOILT], 0);
  },
);
