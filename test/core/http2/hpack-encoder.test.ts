import fc from 'fast-check';
import { hashName, hashValue } from '../../../core/http2/field-names.js';
import { HpackDecoder } from '../../../core/http2/hpack-decoder.js';
import {
  BLOCK_FRAMING_BYTES_MAX,
  FIELD_FRAMING_BYTES_MAX,
  HpackEncoder,
} from '../../../core/http2/hpack-encoder.js';
import { LiteralCache } from '../../../core/http2/literal-cache.js';
import t from '../../support/tap.js';
import { decodeList, encodeList, entriesOf, type Pair } from './hpack-lists.js';

const TABLE = 4096;

const response: Pair[] = [
  [':status', '200'],
  ['server', 'nginx/1.22.1'],
  ['date', 'Tue, 05 Aug 2025 10:00:00 GMT'],
  ['content-type', 'application/json; charset=utf-8'],
  ['content-length', '295'],
  ['cache-control', 'no-store'],
  ['x-envoy-upstream-service-time', '12'],
  ['strict-transport-security', 'max-age=31536000; includeSubDomains; preload'],
];

function firstByte(encoder: HpackEncoder, pair: Pair): number {
  return encodeList(encoder, [pair])[0]!;
}

t.test('a response that repeats takes a byte for each field from the third time on', async (t) => {
  const encoder = new HpackEncoder(TABLE, TABLE);
  const decoder = new HpackDecoder(TABLE, new LiteralCache());
  for (let time = 1; time <= 4; time++) {
    const block = encodeList(encoder, response);
    t.strictSame(decodeList(decoder, block), response);
    if (time >= 3) t.equal(block.length, response.length);
  }
});

t.test('lines that repeat are in the table from the third time on, ids between them or not', async () => {
  const line = fc.tuple(fc.stringMatching(/^[a-z]{3,12}$/), fc.stringMatching(/^[ -~]{0,20}$/));
  fc.assert(
    fc.property(fc.uniqueArray(line, { minLength: 1, maxLength: 30, selector: String }), (lines) => {
      const encoder = new HpackEncoder(TABLE, TABLE);
      for (let time = 0; time < 2; time++) encodeList(encoder, [...lines, ['x-request-id', `${time}`]]);
      return encodeList(encoder, lines).length === lines.length;
    }),
    { numRuns: 50 },
  );
});

t.test('what is different each time enters no table', async (t) => {
  const encoder = new HpackEncoder(TABLE, TABLE);
  for (let id = 0; id < 300; id++) encodeList(encoder, [['x-request-id', `${id}-${id * 7}`]]);
  t.equal(encoder.table.count, 0);
  for (let id = 0; id < 300; id++) encodeList(encoder, [['x-request-id', `${10n ** 30n + BigInt(id)}`]]);
  t.equal(encoder.table.count, 0, 'of long numbers in a row');
});

t.test('the name of a field in the table is not sent again', async (t) => {
  const encoder = new HpackEncoder(TABLE, TABLE);
  for (let time = 0; time < 2; time++) encodeList(encoder, [['x-envoy-upstream-service-time', '12']]);
  t.equal(encodeList(encoder, [['x-envoy-upstream-service-time', '7']]).length, 1 + 1 + 1 + 1);
});

t.test('secrets are literals that are never indexed (RFC 7541, section 7.1.3)', async (t) => {
  const encoder = new HpackEncoder(TABLE, TABLE);
  const secrets = ['authorization', 'Cookie', 'set-cookie', 'proxy-authorization', 'x-api-key'];
  for (const name of secrets) {
    for (let time = 0; time < 3; time++) t.equal(firstByte(encoder, [name, 'secret']) & 0xf0, 0x10, name);
  }
  t.equal(encoder.table.count, 0);
});

t.test('fields that came as never indexed leave as such (section 6.2.3)', async (t) => {
  const encoder = new HpackEncoder(TABLE, TABLE);
  for (let time = 0; time < 3; time++) {
    t.equal(encodeList(encoder, [['X-Pin', '1234']], ',x-pin,')[0]! & 0xf0, 0x10);
  }
  t.equal(firstByte(encoder, ['x-pin', '1234']), 0, 'the first time without the mark');
});

t.test('a path with a query enters no table, and one without does', async (t) => {
  const encoder = new HpackEncoder(TABLE, TABLE);
  for (let time = 0; time < 3; time++) encodeList(encoder, [[':path', '/a?token=1']]);
  t.equal(encoder.table.count, 0);
  for (let time = 0; time < 3; time++) encodeList(encoder, [[':path', '/pkg.Service/Method']]);
  t.equal(encoder.table.count, 1);
});

t.test('a table that the peer makes smaller is announced by size updates (section 4.2)', async (t) => {
  const encoder = new HpackEncoder(TABLE, TABLE);
  const decoder = new HpackDecoder(TABLE, new LiteralCache());
  for (let time = 0; time < 3; time++) decodeList(decoder, encodeList(encoder, response));
  encoder.usePeerTable(0);
  encoder.usePeerTable(100);
  const block = encodeList(encoder, response);
  t.equal(block.subarray(0, 4).toString('hex'), '203f4588', 'size 0, size 100, the first field');
  t.strictSame(decodeList(decoder, block), response);
  t.ok(decoder.table.size <= 100);
});

t.test('a peer that offers no table, or a huge one, gets what fits', async (t) => {
  for (const peer of [0, 1, 33, 1 << 30]) {
    const encoder = new HpackEncoder(TABLE, TABLE);
    const decoder = new HpackDecoder(TABLE, new LiteralCache());
    encoder.usePeerTable(peer);
    for (let time = 0; time < 4; time++)
      t.strictSame(decodeList(decoder, encodeList(encoder, response)), response);
    t.ok(encoder.table.size <= Math.min(peer, TABLE));
  }
});

/** Few names and values, so that they repeat, among some that are anything. */
const pairs = fc.array(
  fc.tuple(
    fc.oneof(
      fc.constantFrom('a', 'date', 'cookie', 'x-b', ':path', 'X-C'),
      fc.stringMatching(/^[a-z]{1,40}$/),
    ),
    fc.oneof(
      fc.constantFrom('', '1', '2', 'gzip, deflate', 'x'.repeat(500), 'y'.repeat(200)),
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    ),
  ),
  { maxLength: 20 },
);

t.test('the tables of both sides stay equal, and a block is no longer than promised', async () => {
  const step = fc.oneof({ weight: 8, arbitrary: pairs }, { weight: 1, arbitrary: fc.nat({ max: 5000 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const encoder = new HpackEncoder(TABLE, TABLE);
      const decoder = new HpackDecoder(TABLE, new LiteralCache());
      for (const list of steps) {
        if (typeof list === 'number') {
          encoder.usePeerTable(list);
          continue;
        }
        const block = encodeList(encoder, list);
        const lower = list.map(([name, value]) => [name.toLowerCase(), value]);
        const characters = list.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
        if (JSON.stringify(decodeList(decoder, block)) !== JSON.stringify(lower)) return false;
        if (block.length > characters + list.length * FIELD_FRAMING_BYTES_MAX + BLOCK_FRAMING_BYTES_MAX)
          return false;
        if (encoder.table.count !== decoder.table.count || encoder.table.size !== decoder.table.size)
          return false;
        for (const [name, value] of entriesOf(decoder)) {
          const bytes = Buffer.from(name + value, 'latin1');
          if (!isFound(encoder, bytes, name.length)) return false;
        }
      }
      return true;
    }),
    { numRuns: 150 },
  );
});

/** Whether the encoder knows that a field is in the peer's table. */
function isFound({ table }: HpackEncoder, bytes: Buffer, nameEnd: number): boolean {
  const nameHash = hashName(bytes, 0, nameEnd);
  const hash = hashValue(nameHash, bytes, nameEnd, bytes.length);
  return table.find(bytes, 0, nameEnd, nameEnd, bytes.length, hash) !== null;
}
