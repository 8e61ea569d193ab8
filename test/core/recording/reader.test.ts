import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { Framing } from '../../../core/http/message.js';
import { compressor, stored } from '../../../core/recording/member.js';
import { Dates, RecordIds } from '../../../core/recording/record-ids.js';
import { RecordWriter } from '../../../core/recording/record-writer.js';
import { asAnswerTo, type RecordedExchange, type SkippedRecord } from '../../../core/recording/recorded.js';
import { Redactor } from '../../../core/recording/redactor.js';
import { Timeline } from '../../../core/recording/timeline.js';
import { parseOrder } from '../../../core/replay/filter.js';
import type { Copy } from '../../../core/sink/sink.js';
import { copyOf } from '../../support/copies.js';
import { memberOf } from '../../support/recorded.js';
import t from '../../support/tap.js';

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

/** All files as one, with what was skipped in them. */
function read(...files: Buffer[]): { exchanges: RecordedExchange[]; skipped: SkippedRecord[] } {
  const timeline = new Timeline(
    files.map((file) => ({ path: '', readAt: (into, position) => file.copy(into, 0, position) })),
  );
  const skipped = [...timeline.index()].flatMap((found) => (found === null ? [] : [found.skipped]));
  return { exchanges: [...timeline.exchanges()], skipped };
}

const compressed = (record: Uint8Array): Buffer => memberOf(write, record);
const write = compressor();
const kept = (record: Uint8Array): Buffer => memberOf(stored, record);
const plain = (record: Uint8Array): Buffer => Buffer.from(record);

function warc(type: string, id: string, block: string, fields = ''): Buffer {
  return Buffer.from(
    `WARC/1.0\r\nWARC-Type: ${type}\r\nWARC-Date: 2026-01-01T00:00:00Z\r\nWARC-Record-ID: <${id}>\r\n${fields}Content-Type: application/http\r\nContent-Length: ${Buffer.byteLength(block)}\r\n\r\n${block}\r\n\r\n`,
  );
}

t.test('what was written is read back, in the order in which it came, in every packing', async (t) => {
  const response = {
    status: 404,
    head: '404 Not Found\r\nx: y',
    body: [Buffer.from('no')],
    bodyBytes: 2,
    truncated: false,
    trailers: '',
    messageTimes: '',
    latencyUs: 250,
  };
  const copies = [
    copy(5),
    withBody(1, 'one', Framing.LENGTH),
    withBody(3, 'three', Framing.CHUNKED, 'x-t: 1\r\n'),
    withBody(2, '', Framing.CHUNKED),
    copy(4, { response, lengthZero: true, messageTimes: '7 2000000 1' }),
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
    t.strictSame(
      exchanges.map(({ request }) => request.messageTimes),
      ['', '', '', '7 2000000 1', ''],
    );
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
      ['GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n', /a WebSocket/],
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

t.test('a payload of GoReplay may hold the separator, and lines may end in CRLF', async (t) => {
  for (const end of ['\n', '\r\n']) {
    const separator = `${end}🐵🙈🙉${end}`;
    const body = `one${separator}1 dd 7 0${end}GET /inside HTTP/1.1${end}\r`;
    const file = [
      `1 aa 1800000000000000000 0${end}POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      `2 aa 1800000000001000000 9${end}HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      `1 bb 1800000000002000000 0${end}GET /b HTTP/1.1\r\nHost: x\r\n\r\n`,
    ]
      .map((payload) => payload + separator)
      .join('');
    const { exchanges, skipped } = read(Buffer.from(file));
    t.strictSame(skipped, []);
    t.strictSame(
      exchanges.map(({ request }) => [request.target, request.body.toString()]),
      [
        ['/a', body],
        ['/b', ''],
      ],
    );
    t.equal(exchanges[0].response!.bytes, Buffer.byteLength(body));
  }
});

t.test('a payload of GoReplay that is shorter than announced costs itself alone', async (t) => {
  const separator = '\n🐵🙈🙉\n';
  const file = [
    '1 aa 1800000000000000000 0\nPOST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\nshort',
    '1 bb 1800000000002000000 0\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n',
  ]
    .map((payload) => payload + separator)
    .join('');
  const { exchanges, skipped } = read(Buffer.from(file));
  t.match(skipped, [{ offset: 0, reason: /has 5 bytes of a body of 99999/ }]);
  t.strictSame(
    exchanges.map(({ request }) => request.target),
    ['/b'],
  );
});

t.test('an offer of another protocol than WebSocket is played as an ordinary request', async (t) => {
  const { exchanges } = read(
    warc('request', 'a', 'GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: h2c\r\nx: y\r\n\r\n'),
  );
  t.strictSame(
    exchanges.map(({ request }) => request.fields),
    ['x: y\r\n'],
  );
});

t.test('a record that names several others finds its response among them', async (t) => {
  const concurrent = (...ids: string[]) => ids.map((id) => `WARC-Concurrent-To: <${id}>\r\n`).join('');
  const { exchanges } = read(
    Buffer.concat([
      warc('request', 'a', 'GET / HTTP/1.1\r\nhost: a\r\n\r\n', concurrent('metadata', 'b')),
      warc('response', 'b', 'HTTP/1.1 404 Not Found\r\n\r\n'),
    ]),
  );
  t.strictSame(
    exchanges.map(({ response }) => response?.status),
    [404],
  );
});

t.test(
  'requests of several files come in the order of their times, whatever the order of files',
  async (t) => {
    const first = Buffer.concat(members([copy(1), copy(4), copy(7)], compressed));
    const second = Buffer.concat(members([copy(2), copy(3), copy(9)], plain));
    for (const files of [
      [first, second],
      [second, first],
    ]) {
      t.strictSame(
        read(...files).exchanges.map(({ timeUs }) => timeUs - startUs),
        [1, 2, 3, 4, 7, 9],
      );
    }
  },
);

t.test('a record that stands thousands of places late comes in its time', async (t) => {
  const copies = [...Array.from({ length: 3000 }, (_, i) => copy(i + 1)), copy(0)];
  const { exchanges } = read(Buffer.concat(members(copies, kept)));
  t.equal(exchanges[0].timeUs, startUs);
  t.equal(exchanges.length, 3001);
});

t.test('every exchange of any files comes once, in its time, with its own response', async (t) => {
  const where = fc.record({ at: fc.nat(50), file: fc.nat(2), answered: fc.boolean() });
  fc.assert(
    fc.property(
      fc.array(where, { maxLength: 40 }),
      fc.constantFrom(compressed, kept, plain),
      (all, member) => {
        const files: Copy[][] = [[], [], []];
        all.forEach(({ at, file, answered }, i) => {
          const response = {
            status: 200,
            head: `200 OK\r\nx-n: ${i}`,
            body: [],
            bodyBytes: 0,
            truncated: false,
            trailers: '',
            messageTimes: '',
            latencyUs: i,
          };
          files[file].push(copy(at, { target: `/r/${i}`, response: answered ? response : null }));
        });
        const { exchanges, skipped } = read(...files.map((copies) => Buffer.concat(members(copies, member))));
        t.strictSame(skipped, []);
        t.strictSame(
          exchanges.map(({ timeUs }) => timeUs - startUs),
          all.map(({ at }) => at).sort((a, b) => a - b),
        );
        const found = exchanges.map(({ request, response }) => [
          Number(request.target.slice(3)),
          response?.latencyUs,
        ]);
        t.strictSame(
          found.sort(([a], [b]) => a! - b!),
          all.map(({ answered }, i) => [i, answered ? i : undefined]),
        );
      },
    ),
    { numRuns: 50 },
  );
});

t.test('a file that is not a recording is skipped with the reason', async (t) => {
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

t.test('trailers of a response are read as its fields, and the status of gRPC from either', async (t) => {
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\n';
  const asked =
    'POST /a.B/C HTTP/1.1\r\nHost: h\r\nContent-Type: application/grpc+proto\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
  const chunked = (trailers: string): string =>
    `${head}Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n${trailers}\r\n`;
  const html = 'HTTP/1.1 404 Not Found\r\ncontent-type: text/html\r\nContent-Length: 0\r\n\r\n';
  for (const [block, status, grpcStatus] of [
    [chunked('grpc-status: 0\r\n'), 200, 0],
    [chunked('grpc-status: 6\r\nx-a: 1\r\n'), 409, 6],
    [chunked(''), 500, 2],
    [`${head}grpc-status: 5\r\nContent-Length: 0\r\n\r\n`, 404, 5],
    [html, 501, 12],
  ] as const) {
    const file = Buffer.concat([
      warc('request', 'a', asked),
      warc('response', 'b', block, 'WARC-Concurrent-To: <a>\r\n'),
    ]);
    const { exchanges, skipped } = read(file);
    t.strictSame(skipped, []);
    const [{ request, response }] = exchanges as [RecordedExchange];
    t.equal(request.grpc, true);
    const answer = asAnswerTo(request, response)!;
    t.strictSame([answer.status, answer.grpcStatus], [status, grpcStatus]);
    if (block.includes('x-a')) t.match(answer.content!.head, /\r\ngrpc-status: 6\r\nx-a: 1\r\n$/);
  }
});
