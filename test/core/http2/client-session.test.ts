import { Framing } from '../../../core/http/message.js';
import { PREFACE } from '../../../core/http2/frame.js';
import { Sent } from '../../../core/http2/sender.js';
import { Setting } from '../../../core/http2/settings.js';
import { limits } from '../../../core/limits.js';
import t from '../../support/tap.js';
import { ClientSide, frame, outgoing, settingsFrame, uint32 } from './session-side.js';

const ok = [[':status', '200']] as const;

t.test('the preface, SETTINGS and the first requests leave in one write', async (t) => {
  const side = new ClientSide();
  side.request({ target: '/a', fields: 'Accept: */*\r\n' });
  side.request({ method: 'POST', framing: Framing.LENGTH, contentLength: 3 });
  const sent = side.sent();
  t.equal(side.target.writes, 1);
  t.strictSame(sent, [
    'SETTINGS 0',
    'WINDOW_UPDATE 0 983041',
    'HEADERS 1 :method=GET :scheme=http :path=/a :authority=h accept=*/* end',
    'HEADERS 3 :method=POST :scheme=http :path=/ :authority=h content-length=3',
  ]);
  t.equal(PREFACE.length, 24);
});

t.test('a response with interim ones, a body and trailers', async (t) => {
  const side = new ClientSide().greeted();
  side.request();
  side.sent();
  side.feed(
    side.headers(
      1,
      [
        [':status', '103'],
        ['link', '</a>'],
      ],
      false,
    ),
    side.headers(1, [...ok, ['content-type', 'text/plain'], ['content-length', '5']], false),
    frame(0, 0, 1, Buffer.from('hel')),
    frame(0, 0, 1, Buffer.from('lo')),
    side.headers(1, [['grpc-status', '0']]),
  );
  t.strictSame(side.events(), [
    '1 interim 103',
    '1 head 200 OK | content-type: text/plain (5)',
    '1 data hel',
    '1 data lo',
    '1 trailers "grpc-status: 0\\r\\n"',
    '1 last',
    '1 closed',
  ]);
});

t.test('responses that end with their head', async (t) => {
  const rows: [method: string, pairs: [string, string][], head: string][] = [
    ['GET', [[':status', '200']], '200 OK (0)'],
    [
      'GET',
      [
        [':status', '200'],
        ['content-length', '0'],
      ],
      '200 OK (0)',
    ],
    ['GET', [[':status', '204']], '204 No Content'],
    [
      'GET',
      [
        [':status', '304'],
        ['content-length', '7'],
      ],
      '304 Not Modified (7)',
    ],
    [
      'HEAD',
      [
        [':status', '200'],
        ['content-length', '7'],
      ],
      '200 OK (7)',
    ],
    ['HEAD', [[':status', '200']], '200 OK'],
    ['GET', [[':status', '799']], '799  (0)'],
  ];
  for (const [method, pairs, head] of rows) {
    const side = new ClientSide().greeted();
    side.request({ method });
    side.feed(side.headers(1, pairs));
    t.strictSame(side.events(), [`1 head ${head}`, '1 last', '1 closed'], head);
  }
});

t.test('responses that are malformed', async (t) => {
  const rows: [why: string, pairs: [string, string][], ends?: boolean][] = [
    ['no status', [['a', 'b']]],
    ['a status that is not a number', [[':status', '2x0']]],
    ['a status of two digits', [[':status', '20']]],
    ['a status below 100', [[':status', '099']]],
    ['a status as an exponent', [[':status', '1e2']]],
    [
      'two',
      [
        [':status', '200'],
        [':status', '200'],
      ],
    ],
    [
      'a status behind a field',
      [
        ['a', 'b'],
        [':status', '200'],
      ],
    ],
    [
      'a pseudo-header of a request',
      [
        [':status', '200'],
        [':path', '/'],
      ],
    ],
    [
      'a pseudo-header that nobody defined',
      [
        [':status', '200'],
        [':x', '/'],
      ],
    ],
    ['101', [[':status', '101']], false],
    ['an interim response that ends', [[':status', '103']]],
    [
      'a connection field',
      [
        [':status', '200'],
        ['transfer-encoding', 'chunked'],
      ],
    ],
    [
      'a line break in a value',
      [
        [':status', '200'],
        ['a', 'b\r\nc: d'],
      ],
    ],
    [
      'a blank before a value',
      [
        [':status', '200'],
        ['a', ' b'],
      ],
    ],
    [
      'a length that is not a number',
      [
        [':status', '200'],
        ['content-length', '1, 1'],
      ],
    ],
    [
      'two lengths',
      [
        [':status', '200'],
        ['content-length', '1'],
        ['content-length', '2'],
      ],
      false,
    ],
    [
      'a length without a body',
      [
        [':status', '200'],
        ['content-length', '1'],
      ],
    ],
    [
      'a framing field in disguise',
      [
        [':status', '200'],
        ['content_length', '1'],
      ],
    ],
  ];
  for (const [why, pairs, ends] of rows) {
    const side = new ClientSide().greeted();
    side.request();
    side.sent();
    t.strictSame(side.feed(side.headers(1, pairs, ends)), ['RST_STREAM 1 PROTOCOL_ERROR'], why);
    t.strictSame(side.events(), ['1 closed', '1 reset PROTOCOL_ERROR'], why);
  }
});

t.test('faults of a response by what follows its head', async (t) => {
  const rows: [why: string, method: string, frames: (side: ClientSide) => Buffer[]][] = [
    ['DATA before it', 'GET', () => [frame(0, 1, 1)]],
    ['a body to HEAD', 'HEAD', (s) => [s.headers(1, ok, false), frame(0, 1, 1, Buffer.from('x'))]],
    [
      'a body behind 204',
      'GET',
      (s) => [s.headers(1, [[':status', '204']], false), frame(0, 1, 1, Buffer.from('x'))],
    ],
    [
      'less than announced',
      'GET',
      (s) => [s.headers(1, [...ok, ['content-length', '2']], false), frame(0, 1, 1)],
    ],
  ];
  for (const [why, method, frames] of rows) {
    const side = new ClientSide().greeted();
    side.request({ method });
    side.sent();
    t.strictSame(side.feed(...frames(side)), ['RST_STREAM 1 PROTOCOL_ERROR'], why);
  }
});

t.test('faults of the connection that only a server can make', async (t) => {
  const rows: [why: string, code: string, frames: (side: ClientSide) => Buffer[]][] = [
    ['a stream of its own', 'PROTOCOL_ERROR', (s) => [s.headers(2, ok)]],
    ['a stream that was not opened', 'PROTOCOL_ERROR', (s) => [s.headers(3, ok)]],
    ['a push', 'PROTOCOL_ERROR', () => [frame(5, 4, 1, uint32(2))]],
    ['ENABLE_PUSH of 1', 'PROTOCOL_ERROR', () => [settingsFrame([2, 1])]],
    ['a response behind the end', 'STREAM_CLOSED', (s) => [s.headers(1, ok), s.headers(1, ok)]],
    ['DATA behind the end', 'STREAM_CLOSED', (s) => [s.headers(1, ok), frame(0, 1, 1)]],
  ];
  for (const [why, code, frames] of rows) {
    const side = new ClientSide().greeted();
    side.request();
    side.sent();
    t.equal(side.feed(...frames(side)).at(-1), `GOAWAY 0 ${code}`, why);
    t.ok(side.session.isOver);
    t.equal(side.session.room, 0);
  }
});

t.test('a server says how many streams it takes', async (t) => {
  const side = new ClientSide();
  t.equal(side.session.room, limits.http2StreamsAssumed);
  side.request();
  side.greeted([Setting.MAX_CONCURRENT_STREAMS, 2]);
  t.equal(side.session.room, 1);
  side.request();
  t.equal(side.session.room, 0);
  t.throws(() => side.session.request(side.request(), outgoing(), false));
  side.feed(side.headers(1, ok));
  t.equal(side.session.room, 1);
  side.feed(settingsFrame([Setting.MAX_CONCURRENT_STREAMS, 0]));
  t.equal(side.session.room, 0);
});

t.test('section 6.8: streams above the last one were not processed, and the others continue', async (t) => {
  const side = new ClientSide().greeted();
  for (let i = 0; i < 3; i++) side.request();
  side.feed(frame(7, 0, 0, uint32(2 ** 31 - 1, 0)));
  t.strictSame(side.events(), ['goaway NO_ERROR']);
  t.equal(side.session.room, 0);
  side.feed(frame(7, 0, 0, uint32(1, 0)));
  t.strictSame(side.events(), [
    '3 closed',
    '3 reset REFUSED_STREAM unprocessed',
    '5 closed',
    '5 reset REFUSED_STREAM unprocessed',
    'goaway NO_ERROR',
  ]);
  side.feed(side.headers(1, ok));
  t.strictSame(side.events(), ['1 head 200 OK (0)', '1 last', '1 closed']);
});

t.test('section 8.7: a stream that was refused was not processed', async (t) => {
  const side = new ClientSide().greeted();
  side.request();
  side.feed(frame(3, 0, 1, uint32(7)));
  t.strictSame(side.events(), ['1 closed', '1 reset REFUSED_STREAM unprocessed']);
});

t.test('section 8.1: a server answers before the request is whole, and wants no more of it', async (t) => {
  const side = new ClientSide().greeted();
  const sink = side.request({ method: 'POST', framing: Framing.CHUNKED });
  side.session.write(sink.stream!, Buffer.from('x'), false);
  side.sent();
  side.feed(side.headers(1, ok), frame(3, 0, 1, uint32(0)));
  t.strictSame(side.events(), ['1 head 200 OK (0)', '1 last', '1 closed', '1 reset NO_ERROR']);
  t.equal(side.session.write(sink.stream!, Buffer.from('x'), true), Sent.REFUSED);
});

t.test('streams that we cancel do not end the connection, however late their frames come', async (t) => {
  const side = new ClientSide().greeted();
  for (let i = 0; i < 1000; i++) side.session.reset(side.request().stream!, 8);
  side.sent();
  side.events();
  for (let i = 0; i < 1000; i++) side.feed(side.headers(i * 2 + 1, ok, false), frame(0, 1, i * 2 + 1));
  t.notOk(side.session.isOver);
  t.equal(side.events().length, 2000);
});

t.test('too many interim responses, and a head that is too large', async (t) => {
  const many = new ClientSide().greeted();
  many.request();
  for (let i = 0; i <= limits.interimResponses; i++) many.feed(many.headers(1, [[':status', '103']], false));
  t.equal(many.events().at(-1), '1 reset ENHANCE_YOUR_CALM');

  const large = new ClientSide().greeted();
  large.request();
  large.sent();
  const fields = Array.from({ length: 20 }, (_, i) => [`x-${i}`, 'a'.repeat(4000)] as const);
  const block = large.headers(1, [...ok, ...fields]).subarray(9);
  const half = 15_000;
  const parts = [frame(1, 1, 1, block.subarray(0, half))];
  for (let at = half; at < block.length; at += half)
    parts.push(frame(9, at + half >= block.length ? 4 : 0, 1, block.subarray(at, at + half)));
  large.feed(...parts);
  t.strictSame(large.events(), ['guard lists', '1 closed', '1 reset ENHANCE_YOUR_CALM']);
});
