import fc from 'fast-check';
import { EndpointBatch } from '../../../core/compare/endpoint-batch.js';
import { PairFrames, PairPort } from '../../../core/compare/pair-port.js';
import { createDoorbell, Doorbell } from '../../../core/ring/doorbell.js';
import { createRing } from '../../../core/ring/layout.js';
import { RingReader } from '../../../core/ring/reader.js';
import { RingWriter } from '../../../core/ring/writer.js';
import t from '../../support/tap.js';

const ringBytes = 256 * 1024;
const noLoss = { lostByEndpoint: () => {} };

function ends() {
  const ring = createRing(ringBytes);
  const port = new PairPort(new RingWriter(ring, new Doorbell(createDoorbell())), () => {});
  const counted: string[] = [];
  const frames = new PairFrames(
    () => {},
    (slot, name) => ({ count: (...pair) => counted.push(`${slot} ${name} ${pair.join(' ')}`) }),
  );
  const reader = new RingReader(ring);
  return {
    port,
    read(): string[] {
      port.flush();
      reader.drain(frames, 1000);
      return counted.splice(0);
    },
  };
}

/** Both responses are alike and took as long. */
const equalPair = { outcome: 0, differs: 0, primaryUs: 1, shadowUs: 1 };

t.test('every pair arrives under the pattern of its path, in its order', async () => {
  const { port, read } = ends();
  const pair = fc.record({
    slot: fc.nat(3),
    method: fc.constantFrom('GET', 'POST'),
    path: fc.constantFrom('/users', '/orders'),
    id: fc.nat(1000),
    outcome: fc.nat(3),
    differs: fc.nat(15),
    primaryUs: fc.nat(60_000_000),
    shadowUs: fc.nat(60_000_000),
  });
  fc.assert(
    fc.property(fc.array(pair, { maxLength: 300 }), (pairs) => {
      const wanted = pairs.map(({ slot, method, path, id, outcome, differs, primaryUs, shadowUs }) => {
        port.countPair(slot, noLoss, method, `${path}/${id}?q`, { outcome, differs, primaryUs, shadowUs });
        return `${slot} ${method} ${path}/* ${outcome} ${differs} ${primaryUs} ${shadowUs}`;
      });
      port.sendEndpoints();
      return read().join('\n') === wanted.join('\n');
    }),
  );
});

t.test('a batch that is full of pairs or of names goes out by itself', async (t) => {
  const { port, read } = ends();
  for (let i = 0; i < 5000; i++) port.countPair(0, noLoss, 'GET', '/', equalPair);
  t.ok(read().length >= 4000);
  for (let i = 0; i < 600; i++) port.countPair(0, noLoss, 'GET', `/${'x'.repeat(i % 60)}/w${i}`, equalPair);
  t.ok(read().length > 500);
  port.sendEndpoints();
  t.ok(read().length > 0);
  port.sendEndpoints();
  t.strictSame(read(), [], 'nothing is sent twice');
});

t.test('pairs of a batch that finds no room are counted, for each mirror', async (t) => {
  const { port } = ends();
  const lost = [0, 0];
  const lossOf = (slot: number) => ({
    lostByEndpoint: (pairs: number) => {
      lost[slot] += pairs;
    },
  });
  const losses = [lossOf(0), lossOf(1)];
  let count = 0;
  for (; lost[0] === 0 && count < 1_000_000; count++)
    port.countPair(count % 2, losses[count % 2], 'GET', '/', equalPair);
  t.ok(lost[0] > 0);
  t.equal(lost[0], lost[1]);
});

t.test('a batch says how many bytes it takes', async (t) => {
  const batch = new EndpointBatch();
  batch.add(1, noLoss, 'GET', '/users/17', equalPair);
  const bytes = Buffer.alloc(batch.bytes + 8, 0xaa);
  batch.writeTo(bytes, 0);
  t.strictSame(bytes.subarray(batch.bytes), Buffer.alloc(8, 0xaa));
});
