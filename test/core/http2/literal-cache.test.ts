import fc from 'fast-check';
import type { Field } from '../../../core/http2/field.js';
import { HpackDecoder } from '../../../core/http2/hpack-decoder.js';
import { encodeHuffman } from '../../../core/http2/huffman.js';
import { LiteralCache } from '../../../core/http2/literal-cache.js';
import { limits } from '../../../core/limits.js';
import t from '../../support/tap.js';
import { entriesOf } from './hpack-lists.js';

const TABLE = 4096;
const BOUND = 1 << 20;

/** Remembers nothing: what decoding was without a cache. */
class NoCache extends LiteralCache {
  override find(): null {
    return null;
  }

  override isRepeated(): boolean {
    return false;
  }
}

/** A representation with small numbers (RFC 7541, section 6). */
type Step =
  | { readonly kind: 'bytes'; readonly bytes: readonly number[] }
  | {
      readonly kind: 'literal';
      readonly first: number;
      readonly name: number | string;
      readonly value: string;
      readonly isCoded: boolean;
    };

function text(value: string, isCoded: boolean): Buffer {
  const plain = Buffer.from(value, 'latin1');
  if (!isCoded) return Buffer.concat([Buffer.from([plain.length]), plain]);
  const coded = Buffer.alloc(plain.length * 4 + 8);
  const length = encodeHuffman(plain, 0, plain.length, coded, 0);
  return Buffer.concat([Buffer.from([0x80 | length]), coded.subarray(0, length)]);
}

function literal(first: number, name: number | string, value: string, isCoded = false): Buffer {
  const index = typeof name === 'number' ? name : 0;
  const parts: Buffer[] = [Buffer.from([first | index])];
  if (typeof name === 'string') parts.push(text(name, isCoded));
  return Buffer.concat([...parts, text(value, isCoded)]);
}

function blockOf(steps: readonly Step[]): Buffer {
  return Buffer.concat(
    steps.map((step) =>
      step.kind === 'bytes'
        ? Buffer.from(step.bytes)
        : literal(step.first, step.name, step.value, step.isCoded),
    ),
  );
}

/** Everything that a block does: the fields, whether it is right, and what it leaves in the table. */
function effect(decoder: HpackDecoder, block: Buffer, listMax: number): string {
  const fields: unknown[] = [];
  const isRight = decoder.decode(block, 0, block.length, listMax, BOUND, {
    onField: ({ name, value, line, meaning, size, neverIndexed }: Field) =>
      fields.push([name, value, line, meaning, size, neverIndexed]),
  });
  const { overflowed, table } = decoder;
  return JSON.stringify([isRight, overflowed, fields, entriesOf(decoder), table.size]);
}

/** Few strings, so that literals repeat: in other representations, behind other names, in other tables. */
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('literal' as const),
      first: fc.constantFrom(0x40, 0x40, 0x00, 0x10),
      // Numbers above 61 would need more bytes with most prefixes: the table is met as an index below.
      name: fc.oneof(fc.constantFrom(1, 4, 8), fc.constantFrom('', 'a', 'x-id', 'te', ':path', 'A')),
      value: fc.constantFrom('', '/', '200', 'a', 'x', 'y'.repeat(90), ' bad', 'trailers'),
      isCoded: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('bytes' as const),
      bytes: fc.oneof(
        // An indexed field of either table, a name of the dynamic table with its value, a size update.
        fc.nat({ max: 70 }).map((index) => [0x80 | index]),
        fc
          .nat({ max: 3 })
          .map((age) => [0x7f - 1 + (age === 0 ? 0 : 1), ...(age === 0 ? [] : [age - 1]), 1, 0x61]),
        fc.nat({ max: 3 }).map((age) => [0x0f, 47 + age, 1, 0x61]),
        fc.constantFrom([0x20], [0x3f, 0x45], [0x3f, 0xe1, 0x1f]),
      ),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'bytes' as const, bytes: [0x00, 0x81, 0xff] }) },
);

t.test('blocks mean the same with and without the cache, on connections that share one', async () => {
  const turn = fc.tuple(fc.nat({ max: 2 }), fc.array(step, { maxLength: 6 }), fc.constantFrom(BOUND, 120));
  fc.assert(
    fc.property(fc.array(turn, { maxLength: 40 }), (turns) => {
      const shared = new LiteralCache();
      const connections = [TABLE, TABLE, 100].map((tableBytes) => ({
        cached: new HpackDecoder(tableBytes, shared),
        plain: new HpackDecoder(tableBytes, new NoCache()),
        isOver: false,
      }));
      for (const [which, steps, listMax] of turns) {
        const connection = connections[which]!;
        if (connection.isOver) continue;
        const block = blockOf(steps);
        const effects = [connection.cached, connection.plain].map((it) => effect(it, block, listMax));
        if (effects[0] !== effects[1]) return false;
        connection.isOver = effects[0]!.startsWith('[false');
      }
      return true;
    }),
    { numRuns: 1500 },
  );
});

function onlyField(decoder: HpackDecoder, block: Buffer): Field {
  const fields: Field[] = [];
  decoder.decode(block, 0, block.length, BOUND, BOUND, { onField: (field) => fields.push(field) });
  return fields[0]!;
}

t.test('a literal that repeats is the same object, on every connection of the thread', async (t) => {
  const cache = new LiteralCache();
  const block = literal(0x00, 'content-length', '10');
  const [first, second] = [new HpackDecoder(TABLE, cache), new HpackDecoder(TABLE, cache)];
  t.notOk(onlyField(first, block).isKept, 'once is no repetition');
  const field = onlyField(first, block);
  t.ok(field.isKept);
  t.equal(onlyField(second, block), field);
  t.equal(onlyField(second, literal(0x40, 'content-length', '10')), field, 'in any representation');
  t.equal(second.table.at(0), field);
});

t.test('literals that differ each time replace none that repeats', async (t) => {
  const decoder = new HpackDecoder(TABLE, new LiteralCache());
  const block = literal(0x00, 4, '/pkg.Service/Method', true);
  onlyField(decoder, block);
  const field = onlyField(decoder, block);
  for (let id = 0; id < 10 * limits.http2Literals; id++)
    t.notOk(onlyField(decoder, literal(0x00, 'x-request-id', `${id}`)).isKept);
  t.equal(onlyField(decoder, block), field);
});

t.test('secrets and long literals are decoded each time', async (t) => {
  const decoder = new HpackDecoder(TABLE, new LiteralCache());
  const long = literal(0x00, 'x-long', 'l'.repeat(limits.http2LiteralBytes - 2));
  for (let time = 0; time < 4; time++) {
    const secret = onlyField(decoder, literal(0x10, 'authorization', 'secret'));
    t.ok(secret.neverIndexed);
    t.notOk(secret.isKept);
    t.notOk(onlyField(decoder, long).isKept);
  }
});
