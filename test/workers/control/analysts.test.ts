import { CaptureBudget, PairCapture } from '../../../core/compare/capture.js';
import { DiffBook, type Diffs } from '../../../core/compare/diff-book.js';
import { PairPort } from '../../../core/compare/pair-port.js';
import type { Plan } from '../../../core/plan.js';
import { pairsAlone } from '../../../core/plan.js';
import { createDoorbell, Doorbell } from '../../../core/ring/doorbell.js';
import { createRing } from '../../../core/ring/layout.js';
import { RingWriter } from '../../../core/ring/writer.js';
import { EndpointBook } from '../../../core/verdict/endpoint-book.js';
import { Analysts } from '../../../workers/control/analysts.js';
import { plan } from '../../core/report/sample.js';
import t, { type Test } from '../../support/tap.js';
import { until } from '../../support/umbra.js';

const ringBytes = 8 * 1024 * 1024;
const structure = {
  ignoreHeaders: [],
  ignorePaths: [],
  tolerance: { relative: false, value: '0' },
  arrays: 'ordered' as const,
  rules: [],
  meant: [],
  endpoints: [],
  protobuf: null,
  reflection: false,
  baseline: null,
};

const comparing: Plan = {
  ...plan,
  routes: plan.routes.map((route) => ({
    ...route,
    mirrors: route.mirrors.map((mirror) => ({ ...mirror, compare: { ...pairsAlone, structure } })),
  })),
};

function start(t: Test, options: { timeMs?: number; heapMb?: number } = {}) {
  const ring = createRing(ringBytes);
  const doorbell = createDoorbell();
  const port = new PairPort(new RingWriter(ring, new Doorbell(doorbell)), () => {});
  const book = new DiffBook();
  const analysts = new Analysts([ring], doorbell, book, new EndpointBook(), comparing, options);
  t.teardown(() => analysts.close());
  return {
    send(primary: string, shadow: string, slot = 0): boolean {
      const pair = new PairCapture(new CaptureBudget(ringBytes), 1024 * 1024, 'id', 'GET', '/?token=p1');
      for (const [side, body] of [
        [pair.primary, primary],
        [pair.shadow, shadow],
      ] as const) {
        side.status = 200;
        side.head = Buffer.from('200 OK\r\ncontent-type: application/json');
        side.pieces.push(Buffer.from(body));
        side.bodyBytes = body.length;
      }
      const taken = port.offer(slot, 1, pair);
      port.flush();
      return taken;
    },
    compared: (count: number): Promise<Diffs> =>
      until(() => {
        const diffs = book.read();
        return (diffs.mirrors[0]?.compared ?? 0) >= count && diffs;
      }, `${count} pairs are compared`),
  };
}

t.test(
  'pairs are compared in the order of their coming, also when they come faster than they are compared',
  async (t) => {
    const { send, compared } = start(t);
    for (let i = 0; i < 50; i++) t.ok(send('{"a":1}', `{"a":${i + 2}}`));
    const { groups } = await compared(50);
    t.match(groups, [{ route: 'reviews', version: 'v2', path: '$.a', count: 50 }]);
    t.match(groups[0].samples.at(-1), { request: 'GET /?token=[redacted]' });
  },
);

/** Some millions of bytes' worth of work. */
const large = (value: number) => `[${Array.from({ length: 190_000 }, () => value).join()}]`;

t.test('an analyst that takes too long is ended, and its pair is an outcome', async (t) => {
  const { send, compared } = start(t, { timeMs: 1 });
  send(large(1), large(2));
  send(large(1), large(2));
  t.match((await compared(2)).groups, [{ kind: 'not-comparable', path: 'timeout', count: 2 }]);
});

t.test('a pair that ends an analyst is no loss for those that came with it', async (t) => {
  // Large enough for a thread and what a test runner loads into it, far too small for the large pair.
  const { send, compared } = start(t, { heapMb: 12 });
  send('{"a":1}', '{"a":2}');
  send(large(1), large(2));
  send('{"a":1}', '{"a":2}');
  const { groups, mirrors } = await compared(3);
  t.match(mirrors, [{ different: 3, notComparable: 1 }]);
  t.match(
    groups.find(({ kind }) => kind === 'json'),
    { path: '$.a', count: 2 },
  );
  t.match(
    groups.find(({ kind }) => kind === 'not-comparable'),
    { path: 'failed', count: 1 },
  );
});

t.test('a pair of a mirror that is gone is passed over', async (t) => {
  const { send, compared } = start(t);
  send('{"a":1}', '{"a":2}', 99);
  send('{"a":1}', '{"a":2}');
  t.match((await compared(1)).mirrors, [{ compared: 1 }]);
});
