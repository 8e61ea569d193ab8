import { ResponseReader } from '../../../core/http/response-reader.js';
import { limits } from '../../../core/limits.js';
import t from '../../support/tap.js';
import { Reading, read } from './reading.js';

const ZERO = '\r\nContent-Length: 0\r\n\r\n';

t.test('status lines that are read', async (t) => {
  const lines: [line: string, forwarded: string][] = [
    ['HTTP/1.1 200 OK', '200 OK'],
    ['HTTP/1.0 200 OK', '200 OK'],
    ['HTTP/1.1 200 ', '200 '],
    ['HTTP/1.1 200', '200 '],
    ['HTTP/1.1 200  two spaces', '200  two spaces'],
    ['HTTP/1.1 404 Not\tFound', '404 Not\tFound'],
    ['HTTP/1.1 500 Ori\xebntatie', '500 Ori\xebntatie'],
    ['HTTP/1.1 999 any class', '999 any class'],
  ];
  for (const [line, forwarded] of lines) {
    const reading = read(line + ZERO);
    t.equal(reading.fault, 'NONE', line);
    t.equal(reading.head, forwarded, line);
    t.equal(reading.fed, 'WHOLE', line);
  }
});

t.test('status lines that are refused', async (t) => {
  const lines = [
    '',
    'HTTP/1.1',
    'HTTP/1.1 ',
    'HTTP/1.1 20',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 20x OK',
    'HTTP/1.1 099 low',
    'HTTP/1.1 000 low',
    'HTTP/1.1 -20 low',
    'HTTP/1.1  200 OK',
    'HTTP/1.1\t200 OK',
    'HTTP/1.1 200\tOK',
    'HTTP/1.2 200 OK',
    'HTTP/2.0 200 OK',
    'HTTP/0.9 200 OK',
    'HTTP/01.1 200 OK',
    'HTTP/1.10 200 OK',
    'http/1.1 200 OK',
    'HTP/1.1 200 OK',
    ' HTTP/1.1 200 OK',
    '\r\nHTTP/1.1 200 OK',
    '\nHTTP/1.1 200 OK',
    'HTTP/1.1 200 O\x00K',
    'HTTP/1.1 200 O\x7fK',
    'HTTP/1.1 200 OK\rX: y',
    'HTTP/1.1 200 OK\nX: y',
    'HTTP/1.1 200 OK\r',
    'ICY 200 OK',
    'RTSP/1.0 200 OK',
  ];
  for (const line of lines) {
    const reading = read(line + ZERO);
    t.equal(reading.fault, 'STATUS_LINE', JSON.stringify(line));
    t.equal(reading.head, '', 'nothing of it is delivered');
  }
});

t.test('a few bytes that can not become a status line are refused at once', async (t) => {
  const sink = new Reading();
  for (const bytes of ['S', 'HTTX', 'HTTP/2', 'HTTP/1.1\n', '\r\n']) {
    const reader = new ResponseReader(sink);
    reader.reset(sink, false);
    reader.feed(Buffer.from(bytes), 0, bytes.length);
    t.ok(reader.fault > 0, JSON.stringify(bytes));
  }
});

t.test('field lines that are read, and how they are passed on', async (t) => {
  const lines: [line: string, forwarded: string][] = [
    ['A: b', 'A: b'],
    ['A:b', 'A:b'],
    ['A: \t b \t', 'A: \t b'],
    ['A:', 'A:'],
    ['A: ', 'A: '],
    ['A : b', 'A:b'],
    ['A \t:  b', 'A:b'],
    ["!#$%&'*+-.^_`|~09azAZ: b", "!#$%&'*+-.^_`|~09azAZ: b"],
    ['A: b\tc \x80\xff!~', 'A: b\tc \x80\xff!~'],
    ['Set-Cookie: a=1\r\nX: y\r\nSet-Cookie: b=2', 'Set-Cookie: a=1\r\nX: y\r\nSet-Cookie: b=2'],
    ['A: 1\r\nB : 2\r\nC: 3 \r\nD: 4\r\nE: 5', 'A: 1\r\nB:2\r\nC: 3\r\nD: 4\r\nE: 5'],
  ];
  for (const [line, forwarded] of lines) {
    const reading = read(`HTTP/1.1 200 OK\r\n${line}${ZERO}`);
    t.equal(reading.fault, 'NONE', line);
    t.equal(reading.head.replace(/[ \t]+$/, ''), `200 OK\r\n${forwarded}`.replace(/[ \t]+$/, ''), line);
  }
});

t.test('field lines that are refused', async (t) => {
  const lines: [line: string, fault: string][] = [
    [': value', 'FIELD_NAME'],
    ['no colon', 'FIELD_NAME'],
    ['A', 'FIELD_NAME'],
    ['A B: c', 'FIELD_NAME'],
    ['A\x00: b', 'FIELD_NAME'],
    ['A\x80: b', 'FIELD_NAME'],
    ['A(b): c', 'FIELD_NAME'],
    ['A\r: b', 'FIELD_NAME'],
    ['\rA: b', 'FIELD_NAME'],
    ['\nA: b', 'FIELD_NAME'],
    [' folded: at the start', 'FOLDED'],
    ['A: b\r\n folded', 'FOLDED'],
    ['A: b\r\n\tfolded', 'FOLDED'],
    ['A: b\r\n \r\nB: c', 'FOLDED'],
    ['A: b\x00c', 'FIELD_VALUE'],
    ['A: b\x01c', 'FIELD_VALUE'],
    ['A: b\x0bc', 'FIELD_VALUE'],
    ['A: b\x7fc', 'FIELD_VALUE'],
    ['A: b\rc', 'FIELD_VALUE'],
    ['A: b\r\rc', 'FIELD_VALUE'],
    ['A: b\nB: c', 'FIELD_VALUE'],
    ['A:\n', 'FIELD_VALUE'],
  ];
  for (const [line, fault] of lines) {
    const reading = read(`HTTP/1.1 200 OK\r\n${line}${ZERO}`);
    t.equal(reading.fault, fault, JSON.stringify(line));
    t.equal(reading.head, '');
  }
});

t.test('how long a body is', async (t) => {
  const cases: [fields: string, framing: string, length: number | null][] = [
    ['Content-Length: 5', 'LENGTH', 5],
    ['Content-Length: 0', 'LENGTH', 0],
    ['Content-Length:\t5\t', 'LENGTH', 5],
    ['content-length: 005', 'LENGTH', 5],
    ['Content-Length: 5, 5', 'LENGTH', 5],
    ['Content-Length: 5,5\r\nContent-Length: 5', 'LENGTH', 5],
    ['Content-Length: 5\r\nX: y\r\nCONTENT-LENGTH: 5', 'LENGTH', 5],
    ['Content-Length: 9007199254740991', 'LENGTH', Number.MAX_SAFE_INTEGER],
    ['Content-Length-X: 3', 'CLOSE', null],
    ['X: y', 'CLOSE', null],
    ['Transfer-Encoding: chunked', 'CHUNKED', null],
    ['transfer-encoding: \tCHUNKED ', 'CHUNKED', null],
    ['Transfer-Encoding: identity, chunked', 'CHUNKED', null],
    ['Transfer-Encoding: identity', 'CLOSE', null],
  ];
  for (const [fields, framing, length] of cases) {
    const reading = read(`HTTP/1.1 200 OK\r\n${fields}\r\n\r\n`);
    t.equal(reading.fault, 'NONE', fields);
    t.equal(reading.framing, framing, fields);
    t.equal(reading.length, length, fields);
  }
});

t.test('framing that two parsers could read in two ways is refused', async (t) => {
  const cases: [fields: string, fault: string][] = [
    ['Content-Length:', 'CONTENT_LENGTH'],
    ['Content-Length: x', 'CONTENT_LENGTH'],
    ['Content-Length: +5', 'CONTENT_LENGTH'],
    ['Content-Length: -5', 'CONTENT_LENGTH'],
    ['Content-Length: 5 5', 'CONTENT_LENGTH'],
    ['Content-Length: 0x5', 'CONTENT_LENGTH'],
    ['Content-Length: 5s', 'CONTENT_LENGTH'],
    ['Content-Length: 5.0', 'CONTENT_LENGTH'],
    ['Content-Length: 5\xa0', 'CONTENT_LENGTH'],
    ['Content-Length: 5,', 'CONTENT_LENGTH'],
    ['Content-Length: ,5', 'CONTENT_LENGTH'],
    ['Content-Length: 5, 6', 'CONTENT_LENGTH'],
    ['Content-Length: 5, 05', 'CONTENT_LENGTH'],
    ['Content-Length: 5\r\nContent-Length: 6', 'CONTENT_LENGTH'],
    ['Content-Length: 5\r\nContent-Length:', 'CONTENT_LENGTH'],
    ['Content-Length: x\r\nContent-Length: x', 'CONTENT_LENGTH'],
    ['Content-Length: 9007199254740992', 'CONTENT_LENGTH'],
    [`Content-Length: ${'9'.repeat(400)}`, 'CONTENT_LENGTH'],
    ['Content-Length: 5\r\nTransfer-Encoding: chunked', 'TRANSFER_ENCODING'],
    ['Transfer-Encoding: identity\r\nContent-Length: 5', 'TRANSFER_ENCODING'],
    ['Transfer-Encoding: gzip, chunked', 'TRANSFER_ENCODING'],
    ['Transfer-Encoding: gzip\r\nX: y\r\nTransfer-Encoding: chunked', 'TRANSFER_ENCODING'],
    ['Transfer-Encoding: gzip', 'TRANSFER_ENCODING'],
    ['Transfer-Encoding: chunked;q=1', 'TRANSFER_ENCODING'],
    ['Transfer-Encoding: xchunked', 'TRANSFER_ENCODING'],
    ['Transfer-Encoding: chunkedchunked', 'TRANSFER_ENCODING'],
    ['Transfer-Encoding: chunked, gzip', 'TRANSFER_ENCODING'],
    ['Transfer-Encoding: chunked\r\nTransfer-Encoding: identity', 'TRANSFER_ENCODING'],
    ['Transfer-Encoding:', 'TRANSFER_ENCODING'],
    ['Transfer-Encoding: ,chunked', 'TRANSFER_ENCODING'],
    ['Transfer-Encoding: chunked,', 'TRANSFER_ENCODING'],
    ['Transfer-Encoding: chunked, chunked', 'TRANSFER_ENCODING'],
    ['Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', 'TRANSFER_ENCODING'],
    ['Transfer-Encoding: "chunked"', 'TRANSFER_ENCODING'],
  ];
  for (const [fields, fault] of cases) {
    for (const status of ['200 OK', '304 Not Modified']) {
      t.equal(read(`HTTP/1.1 ${status}\r\n${fields}\r\n\r\n`).fault, fault, fields);
    }
  }
  t.equal(read('HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n').fault, 'TRANSFER_ENCODING');
});

t.test('responses that never have a body', async (t) => {
  const fields = 'Content-Length: 5\r\n\r\n';
  const chunked = 'Transfer-Encoding: chunked\r\n\r\n';
  for (const text of [
    `204 No Content\r\n${fields}`,
    `304 Not Modified\r\n${fields}`,
    `304 x\r\n${chunked}`,
    '204 x\r\n\r\n',
  ]) {
    const reading = read(`HTTP/1.1 ${text}`);
    t.equal(reading.fed, 'WHOLE', text);
    t.equal(reading.framing, 'NONE');
    t.ok(reading.keepAlive);
  }
  const head = read(`HTTP/1.1 200 OK\r\n${fields}`, [], true);
  t.equal(head.fed, 'WHOLE');
  t.equal(head.length, 5, 'the length of what is not sent is passed on');
  t.equal(read(`HTTP/1.1 304 x\r\n${fields}`).length, 5);
  t.equal(read(`HTTP/1.1 204 x\r\n${fields}`).length, null, 'but not on 204');
  t.equal(
    read('HTTP/1.1 200 OK\r\n\r\n', [], true).fed,
    'WHOLE',
    'HEAD without a length does not wait for a FIN',
  );
});

t.test('whether the connection may be used again', async (t) => {
  const cases: [head: string, keepAlive: boolean][] = [
    ['HTTP/1.1 200 OK', true],
    ['HTTP/1.0 200 OK', false],
    ['HTTP/1.0 200 OK\r\nConnection: keep-alive', true],
    ['HTTP/1.0 200 OK\r\nConnection: x, Keep-Alive', true],
    ['HTTP/1.1 200 OK\r\nConnection: close', false],
    ['HTTP/1.1 200 OK\r\nconnection: CLOSE', false],
    ['HTTP/1.1 200 OK\r\nConnection: x ,close , y', false],
    ['HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nX: y\r\nConnection: close', false],
    ['HTTP/1.1 200 OK\r\nConnection: closed', true],
    ['HTTP/1.1 200 OK\r\nConnection: ,, ,', true],
    ['HTTP/1.1 200 OK\r\nProxy-Connection: close', true],
  ];
  for (const [head, keepAlive] of cases) t.equal(read(head + ZERO).keepAlive, keepAlive, head);
  t.notOk(read('HTTP/1.1 200 OK\r\n\r\n').keepAlive, 'a body that ends with the connection');
});

t.test(
  'hop-by-hop fields and those that Connection names stay here; fields that clients rely on do not',
  async (t) => {
    const reading = read(
      'HTTP/1.1 200 OK\r\nConnection: x-hop, Set-Cookie, content-length, Content-Type, nothing\r\nX-Hop: 1\r\n' +
        'Keep-Alive: timeout=5\r\nProxy-Connection: x\r\nTE: x\r\nUpgrade: x\r\nX-HOP: 2\r\n' +
        'Set-Cookie: a=b\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nX-Hope: 3\r\n\r\nok',
    );
    t.equal(reading.head, '200 OK\r\nSet-Cookie: a=b\r\nContent-Type: text/plain\r\nX-Hope: 3');
    t.equal(reading.body, 'ok');
  },
);

t.test('a head at the limits is read, one past them is refused', async (t) => {
  const start = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: ';
  const filler = 'x'.repeat(limits.responseHeadBytes - start.length - 4);
  const cuts = Array.from({ length: 100 }, (_, i) => i * 777);
  t.equal(read(`${start}${filler}\r\n\r\n`).fed, 'WHOLE');
  t.equal(read(`${start}${filler}\r\n\r\n`, cuts).fed, 'WHOLE');
  t.equal(read(`${start}${filler}x\r\n\r\n`).fault, 'HEAD_TOO_LARGE');
  t.equal(read(`${start}${filler}x\r\n\r\n`, cuts).fault, 'HEAD_TOO_LARGE');
  const fields = (count: number): string =>
    `HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(count - 1)}Content-Length: 0\r\n\r\n`;
  t.equal(read(fields(limits.responseFields)).fed, 'WHOLE');
  t.equal(read(fields(limits.responseFields + 1)).fault, 'TOO_MANY_FIELDS');
  const options = (count: number): string => `HTTP/1.1 200 OK\r\nConnection: ${'a,'.repeat(count)}${ZERO}`;
  t.equal(read(options(limits.connectionOptions)).fed, 'WHOLE');
  t.equal(read(options(limits.connectionOptions + 1)).fault, 'TOO_MANY_FIELDS');
});

t.test('interim responses', async (t) => {
  const final = `HTTP/1.1 200 OK${ZERO}`;
  const continues = 'HTTP/1.1 100 Continue\r\n\r\n';
  t.strictSame(read(continues + final).interims, []);
  t.strictSame(read(continues + final, [], false, true).interims, ['100 Continue']);
  t.strictSame(read(`HTTP/1.1 103 x\r\nLink: a\r\n\r\nHTTP/1.1 102 y\r\n\r\n${final}`).interims, [
    '103 x\r\nLink: a',
    '102 y',
  ]);
  t.equal(read('HTTP/1.1 101 x\r\n\r\n').fault, 'UNASKED_UPGRADE');
  t.equal(read(continues.repeat(limits.interimResponses) + final).fed, 'WHOLE');
  t.equal(read(continues.repeat(limits.interimResponses + 1) + final).fault, 'TOO_MANY_INTERIMS');
  t.equal(read(continues).fed, 'MORE', 'no interim response ends the exchange');
});

t.test('what follows a whole response is no part of it', async (t) => {
  t.equal(read('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok').fed, 'WHOLE');
  t.equal(read('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\r\n').fed, 'EXCESS');
  t.equal(read('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\r\n').body, 'ok');
  t.equal(read('HTTP/1.1 204 x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n').fed, 'EXCESS');
  t.equal(read('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nx').fed, 'EXCESS');
});

t.test('a reader that is stopped by its sink delivers nothing more', async (t) => {
  const bytes = Buffer.from(
    'HTTP/1.1 103 x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n',
  );
  for (const [stopAt, seen] of [
    ['onInterim', { interims: 1, head: '', body: '' }],
    ['onHead', { interims: 1, head: '200 OK', body: '' }],
    ['onBody', { interims: 1, head: '200 OK', body: 'a' }],
  ] as const) {
    const sink = new Reading();
    const reader = new ResponseReader(sink);
    const original = sink[stopAt].bind(sink) as (x: never) => void;
    sink[stopAt] = (x: never) => {
      original(x);
      reader.stop();
    };
    reader.reset(sink, false);
    reader.feed(bytes, 0, bytes.length);
    t.strictSame({ interims: sink.interims.length, head: sink.head, body: sink.body }, seen);
    t.notOk(sink.ended);
  }
});
