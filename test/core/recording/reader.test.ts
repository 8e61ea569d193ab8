import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import t from 'tap';
import { Framing } from '../../../core/http/message.js';
import { compressor, stored } from '../../../core/recording/member.js';
import { type RecordedExchange, readExchanges, readMessages } from '../../../core/recording/reader.js';
import { Dates, RecordIds } from '../../../core/recording/record-ids.js';
import { RecordWriter } from '../../../core/recording/record-writer.js';
import type { Skipped } from '../../../core/recording/recorded.js';
import { Redactor } from '../../../core/recording/redactor.js';
import { parseOrder } from '../../../core/replay/filter.js';
import type { Copy } from '../../../core/sink/sink.js';
import { copyOf } from '../../support/copies.js';
import { memberOf } from '../../support/recorded.js';

const startUs = 1_800_000_000_000_000;

function copy(at: number, changes: Partial<Copy> = {}): Copy {
  return copyOf({ offeredUs: at, target: `/r/${at}`, ...changes });
}

function withBody(at: number, text: string, framing: Framing, trailers = ''): Copy {
  const body = Buffer.from(text);
  return copy(at, { method: 'POST', framing, body: [body], bodyBytes: body.byteLength, trailers });
}

function members(copies: readonly Copy[], member: (record: Uint8Array) => Buffer): Buffer[] {
  const writer = new RecordWriter(
    new Redactor({ defaults: false, headers: [], query: [], json: [] }),
    new RecordIds(Buffer.alloc(16, 7)),
  );
  const dates = new Dates();
  const out: Buffer[] = [];
  for (const one of copies)
    writer.write(one, dates.text(startUs + one.offeredUs), (record) => out.push(member(record)));
  return out;
}

function read(file: Buffer): { exchanges: RecordedExchange[]; skipped: Skipped[] } {
  const exchanges: RecordedExchange[] = [];
  const skipped: Skipped[] = [];
  const messages = readMessages((into, position) => file.copy(into, 0, position));
  for (const found of readExchanges(messages)) {
    if ('reason' in found) skipped.push(found);
    else exchanges.push(found);
  }
  return { exchanges, skipped };
}

const compressed = (record: Uint8Array): Buffer => memberOf(write, record);
const write = compressor();
const kept = (record: Uint8Array): Buffer => memberOf(stored, record);
const plain = (record: Uint8Array): Buffer => Buffer.from(record);

t.test('what was written is read back, in the order in which it came, in every packing', async (t) => {
  const response = {
    status: 404,
    head: '404 Not Found\r\nx: y',
    body: [Buffer.from('no')],
    bodyBytes: 2,
    truncated: false,
    latencyUs: 250,
  };
  const copies = [
    copy(5),
    withBody(1, 'one', Framing.LENGTH),
    withBody(3, 'three', Framing.CHUNKED, 'x-t: 1\r\n'),
    withBody(2, '', Framing.CHUNKED),
    copy(4, { response, lengthZero: true }),
  ];
  for (const member of [compressed, kept, plain]) {
    const { exchanges, skipped } = read(Buffer.concat(members(copies, member)));
    t.strictSame(skipped, []);
    t.strictSame(
      exchanges.map(({ timeUs }) => timeUs - startUs),
      [1, 2, 3, 4, 5],
    );
    t.strictSame(
      exchanges.map(({ request }) => request.body.toString()),
      ['one', '', 'three', '', ''],
    );
    t.equal(exchanges[2].request.trailers, 'x-t: 1\r\n');
    const { status, bytes, latencyUs, truncated } = exchanges[3].response!;
    t.strictSame([status, bytes, latencyUs, truncated], [404, 2, 250, false]);
    t.equal(exchanges[0].request.fields, 'accept: */*\r\n');
  }
});

t.test('a first record that is damaged in its first byte costs itself alone', async (t) => {
  for (const member of [compressed, kept, plain]) {
    const bytes = Buffer.concat(
      members(
        [0, 1, 2].map((i) => withBody(i, 'body', Framing.LENGTH)),
        member,
      ),
    );
    bytes[0] ^= 0xff;
    const { exchanges, skipped } = read(bytes);
    t.strictSame(
      exchanges.map(({ timeUs }) => timeUs - startUs),
      [1, 2],
    );
    t.equal(skipped.length, 1);
  }
});

t.test('a record that is damaged costs itself alone, and is reported with its place', async (t) => {
  const packed = members(
    Array.from({ length: 9 }, (_, i) => withBody(i, 'some body '.repeat(20), Framing.LENGTH)),
    compressed,
  );
  fc.assert(
    fc.property(fc.nat(8), fc.nat(), fc.integer({ min: 1, max: 255 }), (which, at, change) => {
      const damaged = packed.map((member) => Buffer.from(member));
      const place = at % damaged[which].byteLength;
      damaged[which][place] ^= change;
      const { exchanges, skipped } = read(Buffer.concat(damaged));
      // Some bytes of a gzip header mean nothing.
      if (skipped.length === 0) t.equal(exchanges.length, 9);
      const others = new Set(exchanges.map(({ timeUs }) => timeUs - startUs));
      for (let i = 0; i < 9; i++) if (i !== which) t.ok(others.has(i), `record ${i} beside ${which}`);
      const offset = damaged.slice(0, which).reduce((sum, { byteLength }) => sum + byteLength, 0);
      if (skipped.length > 0) t.equal(skipped[0].offset, offset);
    }),
  );
});

t.test('a file may be cut off anywhere', async (t) => {
  const packed = members([copy(1), copy(2), copy(3)], kept);
  const whole = Buffer.concat(packed);
  for (let end = 0; end < whole.byteLength; end += 7) {
    const { exchanges, skipped } = read(whole.subarray(0, end));
    const full = [1, 2, 3].filter(
      (n) => packed.slice(0, n).reduce((sum, { byteLength }) => sum + byteLength, 0) <= end,
    ).length;
    t.equal(exchanges.length, full);
    t.ok(skipped.length <= 1);
  }
});

t.test('no file is more than it can take', async (t) => {
  const bits = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc
      .constantFrom(
        'WARC/1.1\r\n',
        'WARC-Type: request\r\n',
        'Content-Length: 5\r\n',
        'Content-Length: 99999999999\r\n',
        '\r\n\r\n',
        '1 ab 1\n',
        '\n🐵🙈🙉\n',
        'GET / HTTP/1.1\r\nhost: a\r\n\r\n',
        'Content-Type: application/http\r\n',
      )
      .map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(fc.array(bits, { maxLength: 12 }), fc.boolean(), (parts, packed) => {
      const file = Buffer.concat(parts);
      const { exchanges } = read(packed ? gzipSync(file) : file);
      t.ok(Array.isArray(exchanges));
    }),
  );
});

t.test(
  'requests that could be read in two ways, or are not whole, are skipped with the reason',
  async (t) => {
    const record = (block: string): Buffer =>
      Buffer.from(
        `WARC/1.0\r\nWARC-Type: request\r\nWARC-Date: 2026-01-01T00:00:00Z\r\nWARC-Record-ID: <a>\r\nContent-Type: application/http; msgtype=request\r\nContent-Length: ${block.length}\r\n\r\n${block}\r\n\r\n`,
      );
    const cases: [string, RegExp][] = [
      [
        'GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
        /not a request that can be sent/,
      ],
      ['POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nabc', /has 3 bytes of a body of 9/],
      ['POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nab', /chunked body is damaged/],
      [
        'GET / HTTP/1.1\r\nhost: a\r\n\r\nGET /admin HTTP/1.1\r\nhost: a\r\n\r\n',
        /has a body without a length/,
      ],
      ['GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n', /another protocol/],
      ['GET / HTTP/1.1\r\nhost', /cut off/],
    ];
    for (const [block, reason] of cases) {
      const { exchanges, skipped } = read(
        Buffer.concat([record(block), record('GET /good HTTP/1.1\r\nhost: a\r\n\r\n')]),
      );
      t.match(skipped[0]?.reason, reason);
      t.equal(exchanges[0]?.request.target, '/good', block);
    }
  },
);

t.test('files of GoReplay are read, with the responses that they have', async (t) => {
  const separator = '\n🐵🙈🙉\n';
  const file = [
    '1 aa11 1800000000000000000 0\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n',
    '2 aa11 1800000000001000000 900000\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    '3 aa11 1800000000001000000 900000\nHTTP/1.1 200 OK\r\n\r\n',
    'rubbish',
    '1 bb22 1800000000000500000 0\nPOST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n',
  ]
    .map((payload) => payload + separator)
    .join('');
  const { exchanges, skipped } = read(Buffer.from(file));
  t.strictSame(
    exchanges.map(({ request, response }) => [request.target, request.body.toString(), response?.status]),
    [
      ['/a', '', 200],
      ['/b', 'hi', undefined],
    ],
  );
  t.equal(exchanges[0].response!.latencyUs, 900);
  t.equal(exchanges[1].timeUs - exchanges[0].timeUs, 500);
  t.strictSame(
    skipped.map(({ reason }) => reason),
    ['not a payload of GoReplay'],
  );
  t.equal(skipped[0].offset, Buffer.byteLength(file.slice(0, file.indexOf('rubbish'))));
});

t.test('what is no recording is reported as such', async (t) => {
  t.strictSame(read(Buffer.from('{"json":true}')).skipped, [
    { offset: 0, reason: 'neither a WARC file nor one of GoReplay' },
  ]);
  t.strictSame(read(Buffer.alloc(0)), { exchanges: [], skipped: [] });
});

t.test("the key of a mirror's order is kept with the request, and is the order `recorded`", async (t) => {
  const copies = [copy(1, { orderKey: 0xfeed }), copy(2), copy(3, { orderKey: 0xfeed })];
  const { exchanges } = read(Buffer.concat(members(copies, plain)));
  t.strictSame(
    exchanges.map(({ order }) => order),
    ['feed', '', 'feed'],
  );
  t.strictSame(exchanges.map(parseOrder('recorded')!), ['feed', null, 'feed']);
});
