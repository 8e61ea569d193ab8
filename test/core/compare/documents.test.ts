import fc from 'fast-check';
import { parseCbor } from '../../../core/compare/cbor.js';
import { type Json, JsonFault, JsonNumber } from '../../../core/compare/json.js';
import { parseMediaType } from '../../../core/compare/media-type.js';
import { parseMsgpack } from '../../../core/compare/msgpack.js';
import { parseProtobuf } from '../../../core/compare/protobuf.js';
import { parseGrpc } from '../../../core/compare/protobuf-body.js';
import {
  parseEventStream,
  parseForm,
  parseJsonLines,
  parseMultipart,
} from '../../../core/compare/record-lists.js';
import t from '../../support/tap.js';

/** `plain` returns the value as `JSON.parse` would. */
function plain(value: Json): unknown {
  if (value instanceof JsonNumber) return Number(value.text);
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([name, member]) => [name, plain(member)]));
  return value;
}

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

t.test('MessagePack of its specification', async (t) => {
  t.strictSame(plain(parseMsgpack(hex('82 a7 636f6d70616374 c3 a6 736368656d61 00'))), {
    compact: true,
    schema: 0,
  });
  t.strictSame(plain(parseMsgpack(hex('95 ff d1 ff00 cd 0100 cb 3ff8000000000000 c0'))), [
    -1,
    -256,
    256,
    1.5,
    null,
  ]);
  t.strictSame(plain(parseMsgpack(hex('c4 02 beef'))), '0xbeef');
  t.strictSame(plain(parseMsgpack(hex('d4 05 ff'))), { type: 5, data: '0xff' });
  t.strictSame(plain(parseMsgpack(hex('01 02'))), [1, 2], 'several values are a list');
});

t.test('CBOR of RFC 8949, appendix A', async (t) => {
  for (const [bytes, value] of [
    ['1903e8', 1000],
    ['3903e7', -1000],
    ['f93c00', 1],
    ['fb3ff199999999999a', 1.1],
    ['f90001', 2 ** -24],
    ['f97c00', 'Infinity'],
    ['4401020304', '0x01020304'],
    ['62c3bc', 'ü'],
    ['a26161016162820203', { a: 1, b: [2, 3] }],
    ['9f018202039f0405ffff', [1, [2, 3], [4, 5]]],
    ['bf61610161629f0203ffff', { a: 1, b: [2, 3] }],
    ['7f657374726561646d696e67ff', 'streaming'],
    ['c11a514b67b0', { tag: 1, value: 1363896240 }],
    ['f5', true],
  ] as const) {
    t.strictSame(plain(parseCbor(hex(bytes))), value, bytes);
  }
  t.equal((parseCbor(hex('1bffffffffffffffff')) as JsonNumber).text, '18446744073709551615');
});

t.test('protobuf by field numbers and wire types', async (t) => {
  t.strictSame(plain(parseProtobuf(hex('08 96 01'))), { 1: 150 });
  t.strictSame(plain(parseProtobuf(hex('12 07 74657374696e67'))), { 2: 'testing' });
  t.strictSame(plain(parseProtobuf(hex('1a 03 08 96 01'))), { 3: { 1: 150 } });
  t.strictSame(plain(parseProtobuf(hex('20 01 20 02'))), { 4: [1, 2] });
  t.strictSame(plain(parseProtobuf(hex('0b 10 05 0c'))), { 1: { 2: 5 } }, 'groups');
  t.strictSame(plain(parseGrpc(hex('00 00000003 08 96 01 00 00000000'))), [{ 1: 150 }, {}]);
});

t.test('lists of records are lists of documents', async (t) => {
  t.strictSame(plain(parseJsonLines('{"a":1}\n\n{"a":2}\r\n')), [{ a: 1 }, { a: 2 }]);
  t.strictSame(plain(parseJsonLines('\u001e{"a":1}\n\u001e{"a":2}\n')), [{ a: 1 }, { a: 2 }]);
  t.strictSame(plain(parseEventStream(': hi\nid: 1\ndata: {"a":1}\n\nevent: x\ndata: one\ndata: two\n\n')), [
    { id: '1', data: { a: 1 } },
    { event: 'x', data: 'one\ntwo' },
  ]);
  t.strictSame(plain(parseForm('a=1&b=x+y&a=2')), { a: ['1', '2'], b: 'x y' });
});

t.test('multipart bodies are their parts', async (t) => {
  const type = parseMediaType('multipart/form-data; boundary="x-y"');
  const body = Buffer.from(
    '--x-y\r\nContent-Disposition: form-data; name="meta"\r\nContent-Type: application/json\r\n\r\n{"a":1}\r\n' +
      '--x-y\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nhello\r\n--x-y--\r\n',
  );
  t.strictSame(plain(parseMultipart(body, type, (bytes) => bytes.toString())), {
    meta: { type: 'application/json', body: '{"a":1}' },
    file: { type: 'text/plain', body: 'hello' },
  });
  t.throws(() => parseMultipart(Buffer.from('nothing'), type, String), /invalid-document/);
});

t.test('whatever the bytes are, readers end, with a document or a fault', async () => {
  const bytes = fc.uint8Array({ maxLength: 64 });
  fc.assert(
    fc.property(bytes, (input) => {
      for (const read of [parseMsgpack, parseCbor, parseProtobuf, parseGrpc]) {
        try {
          read(input);
        } catch (error) {
          if (!(error instanceof JsonFault)) throw error;
        }
      }
      return true;
    }),
    { numRuns: 2000 },
  );
});

t.test('depth and number of values are bounded', async (t) => {
  const deep = Buffer.alloc(2000, 0x91);
  t.throws(() => parseMsgpack(deep), /too-deep/);
  t.throws(() => parseCbor(Buffer.alloc(2000, 0x81)), /too-deep/);
  t.throws(() => parseMsgpack(Buffer.alloc(300_000, 1)), /too-many-values/);
  t.throws(() => parseMsgpack(hex('df ffffffff')), /invalid-document/);
});
