import fc from 'fast-check';
import { Framing } from '../../../core/http/message.js';
import type { ResponseHead } from '../../../core/http/response-head.js';
import { ResponseReader } from '../../../core/http/response-reader.js';
import { BlockWriter } from '../../../core/http2/block-writer.js';
import { HpackDecoder } from '../../../core/http2/hpack-decoder.js';
import { HpackEncoder } from '../../../core/http2/hpack-encoder.js';
import { LiteralCache } from '../../../core/http2/literal-cache.js';
import { ResponseFields } from '../../../core/http2/response-fields.js';
import t from '../../support/tap.js';
import { decodeList, fieldOf, type Pair } from './hpack-lists.js';
import { outgoing } from './session-side.js';

const TABLE = 4096;

function written(write: (writer: BlockWriter, encoder: HpackEncoder) => number): Pair[] {
  const writer = new BlockWriter();
  const length = write(writer, new HpackEncoder(TABLE, TABLE));
  return decodeList(new HpackDecoder(TABLE, new LiteralCache()), writer.out.subarray(0, length))!;
}

/** The head that the reader of HTTP/1.1 makes of a text. */
function headOf(text: string, use: (head: ResponseHead) => Pair[]): Pair[] {
  let pairs: Pair[] = [];

  const bytes = Buffer.from(text, 'latin1');
  const sink = {
    onInterim: (head: ResponseHead) => {
      pairs = use(head);
    },
    onHead: (head: ResponseHead) => {
      pairs = use(head);
    },
    onBody: () => {},
    onTrailers: () => {},
    onEnd: () => {},
  };
  const reader = new ResponseReader(sink);
  reader.reset(sink, false);
  reader.feed(bytes, 0, bytes.length);
  return pairs;
}

const response = (text: string, more = ''): Pair[] =>
  headOf(text, (head) => written((writer, encoder) => writer.response(encoder, head, more)));

t.test('a request of HTTP/1.1 without what is about its connection', async (t) => {
  const fields =
    'Accept:*/*\r\nX-Blank: \t a b \t\r\nX-Empty:\r\nConnection: TE\r\nTE: trailers\r\nKeep-Alive: 5\r\n' +
    'Proxy-Connection: x\r\nUpgrade: h2c\r\nTransfer-Encoding: x\r\n';
  t.strictSame(
    written((writer, encoder) => writer.request(encoder, outgoing({ fields, target: '/\xfc?q' }), true)),
    [
      [':method', 'GET'],
      [':scheme', 'https'],
      [':path', '/\xfc?q'],
      [':authority', 'h'],
      ['accept', '*/*'],
      ['x-blank', 'a b'],
      ['x-empty', ''],
      ['te', 'trailers'],
    ],
  );
});

t.test('the framing of a request', async (t) => {
  const rest = (head: Parameters<typeof outgoing>[0]): Pair[] =>
    written((writer, encoder) => writer.request(encoder, outgoing(head), false)).slice(4);
  t.strictSame(rest({ framing: Framing.LENGTH, contentLength: 12_345 }), [['content-length', '12345']]);
  t.strictSame(rest({ lengthZero: true }), [['content-length', '0']]);
  t.strictSame(rest({ framing: Framing.CHUNKED, expectsContinue: true }), [['expect', '100-continue']]);
  t.strictSame(rest({ fields: 'TE: gzip\r\n' }), []);
});

t.test('a response of HTTP/1.1', async (t) => {
  const text =
    'HTTP/1.1 418 I am a teapot\r\nServer : x\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 3\r\n' +
    'Content-Length: 5\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nDate: d\r\nUpgrade: h2\r\n\r\n';
  t.strictSame(response(text, 'via: 1.1 umbra\r\n'), [
    [':status', '418'],
    ['server', 'x'],
    ['set-cookie', 'a'],
    ['set-cookie', 'b'],
    ['date', 'd'],
    ['content-length', '5'],
    ['via', '1.1 umbra'],
  ]);
  t.strictSame(response('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'), [[':status', '200']]);
});

t.test('a length that nobody has said is not said', async (t) => {
  const fields = new ResponseFields();
  fields.begin();
  for (const [name, value] of [
    [':status', '200'],
    ['grpc-status', '0'],
  ] as const)
    fields.onField(fieldOf(name, value));
  t.ok(fields.complete(true, false));
  t.ok(fields.head.hasContentLength, 'for a client of HTTP/1.1');
  t.strictSame(
    written((writer, encoder) => writer.response(encoder, fields.head, '')),
    [
      [':status', '200'],
      ['grpc-status', '0'],
    ],
  );
});

t.test('a response that asks for an upgrade says no word of it: there are none in HTTP/2', async (t) => {
  const text =
    'HTTP/1.1 426 Upgrade Required\r\nConnection: Upgrade\r\nUpgrade: x\r\nContent-Length: 0\r\n\r\n';
  t.strictSame(response(text), [
    [':status', '426'],
    ['content-length', '0'],
  ]);
});

t.test('heads of any size, after which memory is small again', async (t) => {
  const writer = new BlockWriter();
  const encoder = new HpackEncoder(TABLE, TABLE);
  const decoder = new HpackDecoder(TABLE, new LiteralCache());
  const small = writer.out.length;
  for (const count of [60_000, 1, 300_000, 1]) {
    const lines = `x-a: ${'\xff'.repeat(count)}\r\n`;
    const length = writer.answer(encoder, 200, lines);
    t.strictSame(decodeList(decoder, writer.out.subarray(0, length)), [
      [':status', '200'],
      ['x-a', '\xff'.repeat(count)],
    ]);
  }
  t.ok(writer.out.length <= small);
});

t.test('many fields with nothing in them', async (t) => {
  const lines = 'a:\r\n'.repeat(10_000);
  t.equal(written((writer, encoder) => writer.trailers(encoder, lines)).length, 10_000);
});

t.test('what came as never to be indexed leaves so, both ways', async (t) => {
  const writer = new BlockWriter();
  const encoder = new HpackEncoder(TABLE, TABLE);
  const head = outgoing({ fields: 'x-pin: 1234\r\n', neverIndexed: ',x-pin,' });
  for (let time = 0; time < 3; time++) writer.request(encoder, head, false);
  const before = encoder.table.count;
  headOf('HTTP/1.1 200 OK\r\nx-pin: 1234\r\nContent-Length: 0\r\n\r\n', (read) => {
    read.neverIndexed = ',x-pin,';
    for (let time = 0; time < 3; time++) writer.response(encoder, read, '');
    return [];
  });
  t.equal(encoder.table.count, before + 1, 'the length alone');
});

t.test('a block is the same whatever was written before it, for any connection', async () => {
  const line = fc.constantFrom(
    'content-type: application/grpc\r\n',
    'Content-Type: application/grpc\r\n',
    'user-agent: a\r\n',
    'user-agent: b\r\n',
    'user-agent:  b \r\n',
    'user-agent:b\r\n',
    'Connection: TE\r\nTE: trailers\r\n',
    'x-pin: 1234\r\n',
    'cookie: a=b\r\n',
    'x-empty: \r\n',
    'x-empty:\r\n',
  );
  const lines = fc.array(line, { maxLength: 6 }).map((all) => all.join(''));
  const head = fc.record({
    method: fc.constantFrom('GET', 'POST', 'X'),
    target: fc.constantFrom('/', '/a', '/a?q'),
    host: fc.constantFrom('', 'h', 'i'),
    fields: lines,
    neverIndexed: fc.constantFrom('', '', ',x-pin,'),
    lengthZero: fc.boolean(),
  });
  const block = fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 2 }), head, fc.constantFrom(200, 404, 299));
  const sizes = fc.oneof(
    { weight: 9, arbitrary: fc.constant(TABLE) },
    { arbitrary: fc.nat({ max: 300 }), weight: 1 },
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(block, sizes), { maxLength: 40 }), (blocks) => {
      const writer = new BlockWriter();
      const connections = [0, 1, 2].map(() => ({
        encoder: new HpackEncoder(TABLE, TABLE),
        fresh: new HpackEncoder(TABLE, TABLE),
      }));
      return blocks.every(([[kind, which, parts, status], size]) => {
        const write = (by: BlockWriter, encoder: HpackEncoder): Buffer => {
          encoder.usePeerTable(size);
          let length = 0;
          if (kind === 0) length = by.request(encoder, outgoing(parts), false);
          else if (kind === 1) length = by.answer(encoder, status, parts.fields);
          else if (kind === 2) length = by.trailers(encoder, parts.fields);
          else {
            headOf(`HTTP/1.1 ${status} x\r\n${parts.fields}Content-Length: 0\r\n\r\n`, (read) => {
              read.neverIndexed = parts.neverIndexed;
              length = by.response(encoder, read, parts.fields);
              return [];
            });
          }
          return by.out.subarray(0, length);
        };
        const { encoder, fresh } = connections[which]!;
        return write(writer, encoder).equals(write(new BlockWriter(), fresh));
      });
    }),
    { numRuns: 400 },
  );
});
