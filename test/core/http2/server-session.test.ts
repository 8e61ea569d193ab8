import { FrameType, PREFACE } from '../../../core/http2/frame.js';
import { Sent } from '../../../core/http2/sender.js';
import { Setting } from '../../../core/http2/settings.js';
import { limits } from '../../../core/limits.js';
import t from '../../support/tap.js';
import { frame, get, post, ServerSide, settingsFrame, uint32 } from './session-side.js';

const CANCEL = uint32(8);
const ping = Buffer.from('12345678');

t.test(
  'section 3.4: both sides begin with SETTINGS, and ours open the window of the connection',
  async (t) => {
    const side = new ServerSide();
    t.strictSame(side.sent(), ['SETTINGS 0', 'WINDOW_UPDATE 0 983041']);
    t.strictSame(side.feed(PREFACE, settingsFrame()), ['SETTINGS 0 ack']);
    t.ok(side.session.awaitsSettings);
    side.feed(frame(FrameType.SETTINGS, 1, 0));
    t.notOk(side.session.awaitsSettings);
  },
);

t.test('section 3.4: what does not begin so is no HTTP/2', async (t) => {
  const beginnings = [
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.concat([PREFACE, frame(FrameType.PING, 0, 0, ping)]),
    Buffer.concat([PREFACE, frame(FrameType.SETTINGS, 1, 0)]),
    Buffer.concat([PREFACE, frame(0x20, 0, 0)]),
    Buffer.concat([PREFACE, frame(FrameType.DATA, 1, 1)]),
  ];
  for (const beginning of beginnings) {
    const side = new ServerSide();
    t.equal(side.feed(beginning).at(-1), 'GOAWAY 0 PROTOCOL_ERROR');
    t.strictSame(side.events(), ['over PROTOCOL_ERROR']);
  }
});

t.test('a request without a body, and its response', async (t) => {
  const side = new ServerSide().greeted();
  side.feed(side.headers(1, [...get, ['accept', '*/*']]));
  t.strictSame(side.events(), ['1 request GET / h "accept: */*\\r\\n"']);
  side.session.sendAnswer(side.stream(1), 200, 'Content-Type: text/plain\r\n', false);
  t.equal(side.session.write(side.stream(1), Buffer.from('hello'), true), Sent.OK);
  t.strictSame(side.sent(), ['HEADERS 1 :status=200 content-type=text/plain', 'DATA 1 5 end']);
  t.strictSame(side.events(), ['1 closed']);
  t.equal(side.session.open, 0);
  t.equal(side.target.writes, 2, 'what both begin with, and all of the response');
});

t.test('a request with a body, trailers and padding everywhere', async (t) => {
  const side = new ServerSide().greeted();
  side.feed(
    side.headers(1, post, false),
    frame(FrameType.DATA, 0, 1, Buffer.from('one')),
    frame(FrameType.DATA, 8, 1, Buffer.from('\x05two\0\0\0\0\0')),
    frame(FrameType.DATA, 8, 1, Buffer.from('\x02\0\0')),
    side.headers(1, [
      ['x-sum', '1'],
      ['content-length', '6'],
    ]),
  );
  t.strictSame(side.events(), [
    '1 request POST / h (?) ""',
    '1 data one',
    '1 data two',
    '1 trailers "x-sum: 1\\r\\n"',
    '1 last',
  ]);
});

t.test('an end that follows in the same turn is a flag of the frame before it', async (t) => {
  const side = new ServerSide().greeted();
  const answer = (id: number): void => {
    side.feed(side.headers(id, get));
    side.session.sendAnswer(side.stream(id), 200, '', false);
  };
  const write = (id: number, text: string, last: boolean): void =>
    void side.session.write(side.stream(id), Buffer.from(text), last);
  answer(1);
  write(1, '', true);
  t.strictSame(side.sent(), ['HEADERS 1 :status=200 end']);
  answer(3);
  write(3, 'x', false);
  write(3, '', true);
  t.strictSame(side.sent(), ['HEADERS 3 :status=200', 'DATA 3 1 end']);
  answer(5);
  write(5, 'x', false);
  t.strictSame(side.sent(), ['HEADERS 5 :status=200', 'DATA 5 1']);
  write(5, '', true);
  t.strictSame(side.sent(), ['DATA 5 0 end'], 'the frame before it has left');
  answer(7);
  write(7, 'x', false);
  side.session.ping();
  write(7, '', true);
  t.strictSame(side.sent(), ['HEADERS 7 :status=200', 'DATA 7 1', 'PING 0', 'DATA 7 0 end']);
  side.feed(side.headers(9, get));
  side.session.sendAnswer(side.stream(9), 200, `x-long: ${'é'.repeat(20_000)}\r\n`, false);
  write(9, '', true);
  t.strictSame(side.sent().slice(1), ['CONTINUATION 9 :status=200 x-long=20000', 'DATA 9 0 end']);
  t.equal(side.session.open, 0);
});

t.test('a response ends with trailers', async (t) => {
  const side = new ServerSide().greeted();
  side.feed(side.headers(1, get));
  side.session.sendAnswer(side.stream(1), 200, '', false);
  side.session.write(side.stream(1), Buffer.from('x'), false);
  side.session.writeTrailers(side.stream(1), 'grpc-status: 0\r\n');
  t.strictSame(side.sent(), ['HEADERS 1 :status=200', 'DATA 1 1', 'HEADERS 1 grpc-status=0 end']);
  t.equal(side.session.write(side.stream(1), Buffer.from('x'), false), Sent.REFUSED);
});

t.test('section 4.3: a long head goes out and comes in as CONTINUATION', async (t) => {
  const side = new ServerSide(64 * 1024).greeted();
  const value = 'é'.repeat(40_000);
  side.feed(side.headers(1, get));
  side.session.sendAnswer(side.stream(1), 200, `x-long: ${value}\r\n`, true);
  t.strictSame(side.sent(), ['HEADERS 1 end', 'CONTINUATION 1', `CONTINUATION 1 :status=200 x-long=40000`]);

  const block = side.headers(3, [...get, ['x-long', value]]).subarray(9);
  side.events();
  side.feed(
    frame(FrameType.HEADERS, 1, 3, block.subarray(0, 10_000)),
    frame(FrameType.CONTINUATION, 0, 3, block.subarray(10_000, 26_000)),
    frame(FrameType.CONTINUATION, 0, 3),
    frame(FrameType.CONTINUATION, 4, 3, block.subarray(26_000)),
  );
  t.match(side.events(), [/^3 request GET \/ h "x-long: .{40000}/]);
});

t.test('faults of the connection, by section', async (t) => {
  const open = (side: ServerSide): Buffer => side.headers(1, post, false);
  const rows: [section: string, code: string, bytes: (side: ServerSide) => Buffer[]][] = [
    [
      '4.2 a frame that is too large',
      'FRAME_SIZE_ERROR',
      () => [frame(FrameType.DATA, 0, 1, Buffer.alloc(16_385))],
    ],
    [
      '4.3 a block that is not HPACK',
      'COMPRESSION_ERROR',
      () => [frame(FrameType.HEADERS, 5, 1, Buffer.from([0x80]))],
    ],
    ['5.1 DATA on an idle stream', 'PROTOCOL_ERROR', () => [frame(FrameType.DATA, 1, 1)]],
    ['5.1 RST_STREAM on an idle stream', 'PROTOCOL_ERROR', () => [frame(FrameType.RST_STREAM, 0, 1, CANCEL)]],
    [
      '5.1 WINDOW_UPDATE on an idle stream',
      'PROTOCOL_ERROR',
      () => [frame(FrameType.WINDOW_UPDATE, 0, 1, uint32(1))],
    ],
    [
      '5.1 HEADERS on a closed stream',
      'STREAM_CLOSED',
      (s) => [open(s), frame(3, 0, 1, CANCEL), s.headers(1, get)],
    ],
    [
      '5.1 DATA on a closed stream',
      'STREAM_CLOSED',
      (s) => [open(s), frame(3, 0, 1, CANCEL), frame(0, 1, 1)],
    ],
    ['5.1.1 an even stream', 'PROTOCOL_ERROR', (s) => [s.headers(2, get)]],
    ['5.1.1 a stream below another', 'STREAM_CLOSED', (s) => [s.headers(5, get), s.headers(3, get)]],
    ['6.1 DATA on stream 0', 'PROTOCOL_ERROR', () => [frame(FrameType.DATA, 1, 0)]],
    [
      '6.1 padding of the whole frame',
      'PROTOCOL_ERROR',
      (s) => [open(s), frame(0, 8, 1, Buffer.from('\x05abcd'))],
    ],
    ['6.1 padding without its length', 'FRAME_SIZE_ERROR', (s) => [open(s), frame(0, 8, 1)]],
    ['6.2 HEADERS on stream 0', 'PROTOCOL_ERROR', (s) => [s.headers(0, get)]],
    ['6.2 padding that is too long', 'PROTOCOL_ERROR', () => [frame(1, 13, 1, Buffer.from('\x05abcd'))]],
    ['6.2 a priority that is cut', 'PROTOCOL_ERROR', () => [frame(1, 37, 1, Buffer.from('abcd'))]],
    ['6.2 an empty frame with padding', 'PROTOCOL_ERROR', () => [frame(1, 13, 1)]],
    ['6.3 PRIORITY on stream 0', 'PROTOCOL_ERROR', () => [frame(2, 0, 0, Buffer.alloc(5))]],
    ['6.3 PRIORITY of four bytes', 'FRAME_SIZE_ERROR', () => [frame(2, 0, 1, Buffer.alloc(4))]],
    ['6.4 RST_STREAM on stream 0', 'PROTOCOL_ERROR', () => [frame(3, 0, 0, CANCEL)]],
    ['6.4 RST_STREAM of three bytes', 'FRAME_SIZE_ERROR', (s) => [open(s), frame(3, 0, 1, Buffer.alloc(3))]],
    ['6.5 SETTINGS on a stream', 'PROTOCOL_ERROR', () => [frame(4, 0, 1)]],
    ['6.5 SETTINGS of five bytes', 'FRAME_SIZE_ERROR', () => [frame(4, 0, 0, Buffer.alloc(5))]],
    ['6.5 an acknowledgement with settings', 'FRAME_SIZE_ERROR', () => [frame(4, 1, 0, Buffer.alloc(6))]],
    ['6.5.2 ENABLE_PUSH of 2', 'PROTOCOL_ERROR', () => [settingsFrame([2, 2])]],
    ['6.5.2 a window that is too large', 'FLOW_CONTROL_ERROR', () => [settingsFrame([4, 2 ** 31])]],
    ['6.5.2 frames that are too small', 'PROTOCOL_ERROR', () => [settingsFrame([5, 16_383])]],
    ['6.5.2 frames that are too large', 'PROTOCOL_ERROR', () => [settingsFrame([5, 2 ** 24])]],
    ['6.6 PUSH_PROMISE of a client', 'PROTOCOL_ERROR', (s) => [open(s), frame(5, 4, 1, uint32(2))]],
    ['6.7 PING on a stream', 'PROTOCOL_ERROR', () => [frame(6, 0, 1, ping)]],
    ['6.7 PING of six bytes', 'FRAME_SIZE_ERROR', () => [frame(6, 0, 0, Buffer.alloc(6))]],
    ['6.8 GOAWAY on a stream', 'PROTOCOL_ERROR', () => [frame(7, 0, 1, Buffer.alloc(8))]],
    ['6.8 GOAWAY of seven bytes', 'FRAME_SIZE_ERROR', () => [frame(7, 0, 0, Buffer.alloc(7))]],
    ['6.9 WINDOW_UPDATE of three bytes', 'FRAME_SIZE_ERROR', () => [frame(8, 0, 0, Buffer.alloc(3))]],
    ['6.9 an increment of 0', 'PROTOCOL_ERROR', () => [frame(8, 0, 0, uint32(0))]],
    ['6.9.1 a window above 2^31 - 1', 'FLOW_CONTROL_ERROR', () => [frame(8, 0, 0, uint32(2 ** 31 - 1))]],
    [
      '6.9.2 a stream that a setting moves too far',
      'FLOW_CONTROL_ERROR',
      (s) => [
        open(s),
        frame(8, 0, 1, uint32(2 ** 31 - 1 - 65_535)),
        settingsFrame([Setting.INITIAL_WINDOW_SIZE, 65_536]),
      ],
    ],
    ['6.10 CONTINUATION without a block', 'PROTOCOL_ERROR', () => [frame(9, 4, 1)]],
    ['6.10 CONTINUATION of another stream', 'PROTOCOL_ERROR', () => [frame(1, 1, 1), frame(9, 4, 3)]],
    ['6.10 another frame within a block', 'PROTOCOL_ERROR', () => [frame(1, 1, 1), frame(6, 0, 0, ping)]],
    ['6.10 an unknown frame within a block', 'PROTOCOL_ERROR', () => [frame(1, 1, 1), frame(0x20, 0, 0)]],
    ['6.10 DATA within a block', 'PROTOCOL_ERROR', () => [frame(1, 1, 1), frame(0, 0, 1)]],
  ];
  for (const [section, code, bytes] of rows) {
    const side = new ServerSide().greeted();
    const sent = side.feed(...bytes(side));
    t.match(sent.at(-1), new RegExp(`^GOAWAY \\d+ ${code}$`), section);
    t.equal(side.events().at(-1), `over ${code}`, section);
    t.strictSame(side.feed(frame(6, 0, 0, ping), side.headers(9, get)), [], 'nothing more is read');
    t.equal(side.session.open, 0);
    side.session.lost();
    t.equal(side.arena.heldBytes, 0, 'no memory is left behind');
  }
});

t.test('faults of a stream, by section, leave the connection as it is', async (t) => {
  const open = (side: ServerSide, pairs = post): Buffer => side.headers(1, pairs, false);
  const length = (bytes: string): typeof post => [...post, ['content-length', bytes]];
  const rows: [section: string, code: string, bytes: (side: ServerSide) => Buffer[]][] = [
    ['5.1 DATA behind the end', 'STREAM_CLOSED', (s) => [s.headers(1, get), frame(0, 0, 1, ping)]],
    ['5.1 HEADERS behind the end', 'STREAM_CLOSED', (s) => [s.headers(1, get), s.headers(1, [['a', 'b']])]],
    [
      '5.3.1 PRIORITY on itself',
      'PROTOCOL_ERROR',
      (s) => [open(s), frame(2, 0, 1, Buffer.from([0, 0, 0, 1, 0]))],
    ],
    [
      '5.3.1 HEADERS on itself',
      'PROTOCOL_ERROR',
      (s) => [frame(1, 37, 1, Buffer.concat([Buffer.from([0, 0, 0, 1, 0]), open(s).subarray(9)]))],
    ],
    ['6.9 an increment of 0', 'PROTOCOL_ERROR', (s) => [open(s), frame(8, 0, 1, uint32(0))]],
    [
      '6.9.1 a window above 2^31 - 1',
      'FLOW_CONTROL_ERROR',
      (s) => [open(s), frame(8, 0, 1, uint32(2 ** 31 - 1))],
    ],
    ['8.1 trailers that do not end', 'PROTOCOL_ERROR', (s) => [open(s), s.headers(1, [['a', 'b']], false)]],
    [
      '8.1 a pseudo-header among trailers',
      'PROTOCOL_ERROR',
      (s) => [open(s), s.headers(1, [[':path', '/']])],
    ],
    [
      '8.1 a connection field among trailers',
      'PROTOCOL_ERROR',
      (s) => [open(s), s.headers(1, [['upgrade', 'x']])],
    ],
    [
      '8.1.1 more than the length',
      'PROTOCOL_ERROR',
      (s) => [open(s, length('2')), frame(0, 0, 1, Buffer.alloc(3))],
    ],
    ['8.1.1 less than the length', 'PROTOCOL_ERROR', (s) => [open(s, length('9')), frame(0, 1, 1, ping)]],
    [
      '8.1.1 trailers before the length',
      'PROTOCOL_ERROR',
      (s) => [open(s, length('9')), s.headers(1, [['a', 'b']])],
    ],
    [
      '8.1.1 a body behind a length of 0',
      'PROTOCOL_ERROR',
      (s) => [open(s, length('0')), frame(0, 1, 1, ping)],
    ],
    ['8.1.1 a length without a body', 'PROTOCOL_ERROR', (s) => [s.headers(1, length('1'))]],
  ];
  for (const [section, code, bytes] of rows) {
    const side = new ServerSide().greeted();
    t.equal(side.feed(...bytes(side)).at(-1), `RST_STREAM 1 ${code}`, section);
    t.equal(side.session.open, 0, section);
    t.strictSame(
      side.feed(frame(0, 1, 1, ping), frame(6, 0, 0, ping)),
      ['PING 0 ack'],
      'late DATA is no fault',
    );
    t.notOk(side.session.isOver);
  }
});

t.test('a body of length 0 may end later, with or without trailers', async (t) => {
  const side = new ServerSide().greeted();
  const zero = [...post, ['content-length', '0']] as const;
  side.feed(
    side.headers(1, zero, false),
    frame(0, 1, 1),
    side.headers(3, zero, false),
    side.headers(3, [['a', 'b']]),
  );
  t.strictSame(side.events(), ['1 request POST / h (0) ""', '3 request POST / h (0) ""']);
  for (const id of [1, 3]) side.session.sendAnswer(side.stream(id), 204, '', true);
  t.equal(side.session.open, 0);
});

t.test('section 5.1.2: a stream past the limit is refused, and others continue', async (t) => {
  const side = new ServerSide().greeted();
  for (let stream = 0; stream < limits.http2Streams; stream++) side.feed(side.headers(stream * 2 + 1, get));
  side.events();
  t.strictSame(side.feed(side.headers(257, get)), ['RST_STREAM 257 REFUSED_STREAM']);
  t.strictSame(side.events(), ['guard streams']);
  side.session.sendAnswer(side.stream(1), 204, '', true);
  side.feed(side.headers(259, get));
  t.strictSame(side.events(), ['1 closed', '259 request GET / h ""']);
});

t.test('section 5.5: unknown frames, flags and settings are passed over', async (t) => {
  const side = new ServerSide().greeted([0x99, 7]);
  t.strictSame(side.feed(frame(0x16, 0xff, 0, Buffer.alloc(5000)), frame(6, 0xfe, 0, ping)), ['PING 0 ack']);
});

t.test('section 6.4: a client resets a stream', async (t) => {
  const side = new ServerSide().greeted();
  side.feed(side.headers(1, post, false), frame(3, 0, 1, CANCEL));
  t.strictSame(side.events(), ['1 request POST / h (?) ""', '1 closed', '1 reset CANCEL']);
  side.session.sendAnswer(side.stream(1), 200, '', false);
  t.equal(side.session.write(side.stream(1), ping, true), Sent.REFUSED);
  t.strictSame(side.sent(), [], 'no frame goes out on a stream that is closed');
  t.strictSame(
    side.feed(frame(3, 0, 1, CANCEL), frame(8, 0, 1, uint32(1))),
    [],
    'late frames of it are no fault',
  );
});

t.test(
  'section 6.4: what comes on a stream that we reset is no fault, and keeps the tables equal',
  async (t) => {
    const side = new ServerSide().greeted();
    side.feed(side.headers(1, post, false));
    side.session.reset(side.stream(1), 8);
    side.events();
    t.strictSame(side.feed(frame(0, 0, 1, ping)), ['RST_STREAM 1 CANCEL']);
    // The field enters the table with its second block, and the next request refers to it.
    const trailers = [['x-trailer', 'a-value']] as const;
    side.feed(side.headers(1, trailers), side.headers(1, trailers), side.headers(3, [...get, ...trailers]));
    t.strictSame(side.events(), [
      'guard closed',
      'guard closed',
      'guard closed',
      '3 request GET / h "x-trailer: a-value\\r\\n"',
    ]);
  },
);

t.test('section 6.8: a drain asks first, and names the last stream after a round trip', async (t) => {
  const side = new ServerSide().greeted();
  side.feed(side.headers(1, get));
  side.session.drain();
  t.strictSame(side.sent(), ['GOAWAY 2147483647 NO_ERROR', 'PING 0']);
  side.feed(side.headers(3, get));
  side.events();
  t.strictSame(side.feed(frame(6, 1, 0, ping)), ['GOAWAY 3 NO_ERROR']);
  t.strictSame(side.feed(side.headers(5, get), frame(0, 1, 3)).length, 1, 'DATA behind the end of stream 3');
  const events = ['pong', 'guard closed', '3 closed', '3 reset STREAM_CLOSED'];
  t.strictSame(side.events(), events, 'stream 5 is passed over');
  t.notOk(side.session.isDrained);
  side.session.sendAnswer(side.stream(1), 204, '', true);
  t.ok(side.session.isDrained);
  side.session.close(0);
  t.strictSame(side.sent(), ['HEADERS 1 :status=204 end', 'GOAWAY 3 NO_ERROR']);
});

t.test('an owner finds what a client owes, for its deadlines', async (t) => {
  const side = new ServerSide();
  t.ok(side.session.awaitsRest, 'the preface');
  side.greeted();
  t.notOk(side.session.awaitsRest);
  side.nowUs = 5;
  const head = side.headers(1, post, false);
  side.feed(head.subarray(0, 5));
  t.ok(side.session.awaitsRest, 'a frame');
  side.feed(head.subarray(5, 12));
  t.ok(side.session.awaitsRest, 'a payload');
  side.feed(head.subarray(12));
  t.notOk(side.session.awaitsRest);
  t.equal(side.stream(1).receivedUs, 5);
  side.nowUs = 9;
  side.feed(frame(0, 0, 1, ping));
  t.equal(side.stream(1).receivedUs, 9);
  side.feed(frame(1, 1, 3));
  t.ok(side.session.awaitsRest, 'a block');
});

t.test('a connection that is lost resets its streams', async (t) => {
  const side = new ServerSide().greeted();
  side.feed(side.headers(1, post, false));
  side.events();
  side.session.lost();
  t.strictSame(side.events(), ['1 closed', '1 reset LOST', 'over LOST']);
  side.session.lost();
  side.session.close(0);
  side.session.drain();
  t.strictSame([side.events(), side.sent()], [[], []]);
});

t.test('a client that goes away keeps its streams', async (t) => {
  const side = new ServerSide().greeted();
  side.feed(side.headers(1, get), frame(7, 0, 0, uint32(0, 0)));
  t.strictSame(side.events(), ['1 request GET / h ""', 'goaway NO_ERROR']);
  side.session.sendAnswer(side.stream(1), 204, '', true);
  t.strictSame(side.sent(), ['HEADERS 1 :status=204 end']);
});

t.test('a request that is refused is answered, and what comes of its body is dropped', async (t) => {
  const side = new ServerSide().greeted();
  const sent = side.feed(
    side.headers(
      1,
      [
        [':method', 'CONNECT'],
        [':authority', 'h:1'],
      ],
      false,
    ),
    frame(0, 0, 1, ping),
  );
  t.strictSame(sent, ['HEADERS 1 :status=501 end', 'RST_STREAM 1 NO_ERROR']);
  t.strictSame(side.events(), ['1 refused connect', '1 closed', 'guard closed']);
});

t.test('a sink that resets another stream while the session ends', async (t) => {
  const side = new ServerSide().greeted();
  for (const id of [1, 3, 5]) side.feed(side.headers(id, get));
  side.events();
  const second = side.stream(3);
  const { sink } = side.stream(1);
  sink.onReset = () => side.session.reset(second, 8);
  side.session.lost();
  t.strictSame(side.events(), ['1 closed', '3 closed', '5 closed', '5 reset LOST', 'over LOST']);
});
