import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { createDoorbell, Doorbell } from '../../../core/ring/doorbell.js';
import { FrameType } from '../../../core/ring/frame.js';
import { createRing } from '../../../core/ring/layout.js';
import { RingReader } from '../../../core/ring/reader.js';
import { RingWriter } from '../../../core/ring/writer.js';
import t from '../../support/tap.js';
import { offer } from './support.js';

const LONG_MS = 120_000;

function bellCount(shared: SharedArrayBuffer): number {
  return new Int32Array(shared)[32]!;
}

/** Lets everything run that is already due. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

t.test('a parked consumer is woken once by the first bell, and later bells find nobody', async (t) => {
  const shared = createDoorbell();
  const doorbell = new Doorbell(shared);
  let woken = 0;
  await new Promise<void>((resolve) => {
    doorbell.park(
      () => true,
      LONG_MS,
      () => {
        woken++;
        resolve();
      },
    );
    doorbell.ring();
    doorbell.ring();
    t.equal(woken, 0, 'never before park returns to the loop');
  });
  t.equal(bellCount(shared), 1, 'the second bell was not struck');
  doorbell.ring();
  await turns(3);
  t.equal(woken, 1);
  t.equal(bellCount(shared), 1);
});

t.test('a consumer that is not parked is not rung for', async (t) => {
  const shared = createDoorbell();
  new Doorbell(shared).ring();
  t.equal(bellCount(shared), 0);
});

t.test('a frame that was there before parking wakes at once, but not within the call', async (t) => {
  const shared = createDoorbell();
  const doorbell = new Doorbell(shared);
  let within = true;
  await new Promise<void>((resolve) => {
    doorbell.park(
      () => false,
      LONG_MS,
      () => {
        t.notOk(within);
        resolve();
      },
    );
    within = false;
  });
  doorbell.ring();
  t.equal(bellCount(shared), 0, 'it no longer counts as parked');
});

t.test('a bell between the two looks at the ring is not lost', async (t) => {
  const doorbell = new Doorbell(createDoorbell());
  await new Promise<void>((resolve) => {
    const rungTooLate = (): boolean => {
      // The producer comes after this look, and before the wait.
      doorbell.ring();
      return true;
    };
    doorbell.park(rungTooLate, LONG_MS, resolve);
  });
  t.pass();
});

t.test(
  'the time limit wakes a consumer that nobody rings for, and it can be woken by a bell again',
  async (t) => {
    const doorbell = new Doorbell(createDoorbell());
    let woken = 0;
    await new Promise<void>((resolve) => {
      doorbell.park(
        () => true,
        1,
        () => {
          woken++;
          resolve();
        },
      );
    });
    await new Promise<void>((resolve) => {
      doorbell.park(() => true, LONG_MS, resolve);
      doorbell.ring();
    });
    await turns(3);
    t.equal(woken, 1);
  },
);

t.test('bells are counted over the wrap of 32 bits', async (t) => {
  const shared = createDoorbell();
  new Int32Array(shared)[32] = 2 ** 31 - 2;
  const doorbell = new Doorbell(shared);
  for (let i = 0; i < 4; i++) {
    await new Promise<void>((resolve) => {
      doorbell.park(() => true, LONG_MS, resolve);
      doorbell.ring();
    });
  }
  t.equal(bellCount(shared), -(2 ** 31) + 2);
});

t.test('a new writer wakes the consumer, in case the one before died between frame and bell', async (t) => {
  const ring = createRing(1024);
  const shared = createDoorbell();
  const doorbell = new Doorbell(shared);
  const reader = new RingReader(ring);
  const writer = new RingWriter(ring, doorbell);
  await new Promise<void>((resolve) => {
    doorbell.park(() => reader.isEmpty(), LONG_MS, resolve);
    // As if the thread had exchanged PARKED and gone no further.
    new Int32Array(shared)[0] = 0;
    offer(writer, FrameType.BODY, 'x');
    writer.publish();
    new RingWriter(ring, doorbell);
  });
  t.notOk(reader.isEmpty());
});

t.test('a parked thread stays alive until it is woken', async (t) => {
  const url = new URL('../../../core/ring/doorbell.js', import.meta.url).href;
  const code = `
    import(${JSON.stringify(url)}).then(({ createDoorbell, Doorbell }) => {
      new Doorbell(createDoorbell()).park(() => true, 50, () => process.exit(7));
    });`;
  const [exitCode] = await once(new Worker(code, { eval: true }), 'exit');
  t.equal(exitCode, 7);
});
