import fc from 'fast-check';
import { Framing } from '../../../core/http/message.js';
import { RequestFault } from '../../../core/http/request-fault.js';
import { RequestHeadScanner } from '../../../core/http/request-head-scanner.js';
import { Scan } from '../../../core/http/scan.js';
import { limits } from '../../../core/limits.js';
import t from '../../support/tap.js';

const scanner = new RequestHeadScanner();

/** All that a scan comes to, as data. */
interface Verdict {
  readonly scan: Scan;
  readonly fault: RequestFault;
  readonly method?: string;
  readonly target?: string;
  readonly host?: string;
  readonly fields?: string;
  readonly framing?: Framing;
  readonly contentLength?: number;
  readonly lengthZero?: boolean;
  readonly keepAlive?: boolean;
  readonly http10?: boolean;
  readonly expectsContinue?: boolean;
  readonly length?: number;
}

function verdictOf(scan: Scan): Verdict {
  if (scan !== Scan.DONE) return { scan, fault: scanner.fault };
  const { method, target, host, fields, framing, contentLength, lengthZero, expectsContinue } = scanner.head;
  const { fault, keepAlive, http10, length } = scanner;
  return {
    scan,
    fault,
    method,
    target,
    host,
    fields,
    framing,
    contentLength,
    lengthZero,
    keepAlive,
    http10,
    expectsContinue,
    length,
  };
}

function scan(text: string, at = 0): Verdict {
  const bytes = Buffer.from('?'.repeat(at) + text, 'latin1');
  return verdictOf(scanner.scan(bytes, at, bytes.length));
}

const host = 'Host: h\r\n';
const get = (fields: string): string => `GET / HTTP/1.1\r\n${host}${fields}\r\n`;
const post = (fields: string): string => `POST / HTTP/1.1\r\n${host}${fields}\r\n`;

t.test('a head is its method, its target, its host and its end-to-end lines, byte for byte', async (t) => {
  const text = `PATCH /a?b=\xfc HTTP/1.1\r\nX-Case:  kept \r\nHOST: a.example:8080\r\nx-dup: 1\r\nX-Dup: 2\r\nx-empty:\r\nx-high: \xa0\xff\xa0\r\n\r\n`;
  const found = scan(`${text}next`, 7);
  t.match(found, {
    scan: Scan.DONE,
    method: 'PATCH',
    target: '/a?b=\xfc',
    host: 'a.example:8080',
    fields: 'X-Case:  kept \r\nx-dup: 1\r\nX-Dup: 2\r\nx-empty:\r\nx-high: \xa0\xff\xa0\r\n',
    framing: Framing.NONE,
    keepAlive: true,
    length: text.length,
  });
});

t.test(
  'hop-by-hop fields are cut out wherever they stand, and what they leave keeps its order',
  async (t) => {
    const dropped = [
      'Connection: keep-alive\r\n',
      'Keep-Alive: timeout=5\r\n',
      'Proxy-Connection: x\r\n',
      'TE: gzip\r\n',
      'Upgrade: h2c\r\n',
    ];
    for (const line of dropped) {
      t.equal(scan(get(line)).fields, '', line);
      t.equal(scan(get(`${line}a: 1\r\nb: 2\r\n`)).fields, 'a: 1\r\nb: 2\r\n', line);
      t.equal(scan(get(`a: 1\r\n${line}b: 2\r\n`)).fields, 'a: 1\r\nb: 2\r\n', line);
      t.equal(scan(get(`a: 1\r\n${line}${line}b: 2\r\n${line}c: 3\r\n`)).fields, 'a: 1\r\nb: 2\r\nc: 3\r\n');
    }
  },
);

t.test('a client that takes trailers is known to, whatever else its TE fields say', async (t) => {
  const said = 'Connection: TE\r\nTE: trailers\r\n';
  for (const te of ['trailers', 'Trailers', 'gzip;q=0.5, trailers', 'trailers , deflate']) {
    t.equal(scan(get(`TE: ${te}\r\nConnection: TE\r\na: 1\r\n`)).fields, `a: 1\r\n${said}`, te);
  }
  t.equal(scan(get('TE: gzip\r\nte: trailers\r\na: 1\r\n')).fields, `a: 1\r\n${said}`);
  for (const te of ['', 'trailers;q=1', 'xtrailers', 'gzip'])
    t.equal(scan(get(`TE: ${te}\r\na: 1\r\n`)).fields, 'a: 1\r\n');
  t.equal(scan(`GET / HTTP/1.0\r\n${host}TE: trailers\r\n\r\n`).fields, '', 'HTTP/1.0 has no trailers');
});

t.test('what Connection names is cut out, in any case, but for what the upstream relies on', async (t) => {
  const fields =
    'Cookie: c\r\nX-Hop: 1\r\nAuthorization: a\r\nx-hop: 2\r\nCache-Control: no-cache\r\ny: 3\r\n';
  const found = scan(get(`Connection: x-HOP, cookie ,close\r\n${fields}Connection: authorization\r\n`));
  t.equal(found.fields, 'Cookie: c\r\nAuthorization: a\r\nCache-Control: no-cache\r\ny: 3\r\n');
  t.equal(found.keepAlive, false);
});

t.test('the connection persists as the versions have it', async (t) => {
  const keeps = (version: string, fields: string): boolean | undefined =>
    scan(`GET / HTTP/${version}\r\n${host}${fields}\r\n`).keepAlive;
  t.strictSame([keeps('1.1', ''), keeps('1.1', 'connection: Close\r\n')], [true, false]);
  t.strictSame([keeps('1.0', ''), keeps('1.0', 'connection: Keep-Alive\r\n')], [false, true]);
  t.equal(keeps('1.0', 'connection: keep-alive\r\nconnection: close\r\n'), false);
});

t.test('framing is decided by one length or by chunked alone', async (t) => {
  t.match(scan(post('Content-Length: 5\r\n')), { framing: Framing.LENGTH, contentLength: 5 });
  t.match(scan(post('Content-Length: 5\r\ncontent-length:5\r\n')), {
    framing: Framing.LENGTH,
    contentLength: 5,
  });
  t.match(scan(post('Content-Length: 0\r\n')), { framing: Framing.NONE, lengthZero: true });
  t.match(scan(post('Transfer-Encoding: Chunked\r\n')), { framing: Framing.CHUNKED });
  t.match(scan(post('Content-Length: 999999999999999\r\n')), { contentLength: 999999999999999 });
});

t.test('the forms of a target come to origin-form, and an absolute one overrides Host', async (t) => {
  const forms: [line: string, target: string, host: string][] = [
    ['GET http://a.example:81/x?y HTTP/1.1', '/x?y', 'a.example:81'],
    ['GET HTTPS://a.example HTTP/1.1', '/', 'a.example'],
    ['GET http://a.example?q HTTP/1.1', '/?q', 'a.example'],
    ['GET http://[::1]:80/ HTTP/1.1', '/', '[::1]:80'],
    ['OPTIONS http://a.example HTTP/1.1', '*', 'a.example'],
    ['OPTIONS * HTTP/1.1', '*', 'h'],
    ['GET //x HTTP/1.1', '//x', 'h'],
  ];
  for (const [line, target, authority] of forms) {
    t.match(scan(`${line}\r\n${host}\r\n`), { scan: Scan.DONE, target, host: authority }, line);
  }
  t.match(scan('GET / HTTP/1.0\r\n\r\n'), { scan: Scan.DONE, host: '', http10: true, keepAlive: false });
});

t.test('an upgrade is heard where Connection names it, HTTP/1.1 goes with it and no body', async (t) => {
  const upgradeOf = (text: string): string => {
    scan(text);
    return scanner.head.upgrade;
  };
  const asked = 'Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n';
  t.equal(upgradeOf(get(asked)), 'websocket');
  t.equal(scan(get(`a: 1\r\n${asked}`)).fields, 'a: 1\r\n');
  t.equal(upgradeOf(get('Upgrade: websocket\r\n')), '');
  t.equal(upgradeOf(get('Connection: upgrade\r\n')), '');
  t.equal(upgradeOf(post(`${asked}Content-Length: 1\r\n`)), '');
  t.equal(upgradeOf(`GET / HTTP/1.0\r\n${asked}\r\n`), '');
});

t.test('an expectation is heard only where a body and HTTP/1.1 go with it', async (t) => {
  t.equal(scan(post('Expect: 100-Continue\r\nContent-Length: 5\r\n')).expectsContinue, true);
  t.equal(scan(post('Expect: 100-continue\r\n')).expectsContinue, false);
  const old = `POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`;
  t.equal(scan(old).expectsContinue, false);
});

const refused: readonly [name: string, text: string, fault: RequestFault][] = [
  ['a method that is not a token', `G(T / HTTP/1.1\r\n${host}\r\n`, RequestFault.METHOD],
  ['no method', ` / HTTP/1.1\r\n${host}\r\n`, RequestFault.METHOD],
  ['CONNECT', `CONNECT h:443 HTTP/1.1\r\n${host}\r\n`, RequestFault.CONNECT],
  ['two spaces', `GET  / HTTP/1.1\r\n${host}\r\n`, RequestFault.TARGET],
  ['a tab', `GET\t/ HTTP/1.1\r\n${host}\r\n`, RequestFault.METHOD],
  ['a NUL in the target', `GET /\0 HTTP/1.1\r\n${host}\r\n`, RequestFault.TARGET],
  ['a fragment', `GET /#f HTTP/1.1\r\n${host}\r\n`, RequestFault.TARGET],
  ['a space in the target', `GET /a b HTTP/1.1\r\n${host}\r\n`, RequestFault.REQUEST_LINE],
  ['no version', `GET /\r\n${host}\r\n`, RequestFault.TARGET],
  ['a relative target', `GET x HTTP/1.1\r\n${host}\r\n`, RequestFault.TARGET],
  ['an asterisk without OPTIONS', `GET * HTTP/1.1\r\n${host}\r\n`, RequestFault.TARGET],
  ['user information', `GET http://u@h/ HTTP/1.1\r\n${host}\r\n`, RequestFault.TARGET],
  ['an authority that is a list', `GET http://h,i/ HTTP/1.1\r\n${host}\r\n`, RequestFault.TARGET],
  ['another scheme', `GET ftp://h/ HTTP/1.1\r\n${host}\r\n`, RequestFault.TARGET],
  ['a lower-case version', `GET / http/1.1\r\n${host}\r\n`, RequestFault.REQUEST_LINE],
  ['a version of two digits', `GET / HTTP/1.10\r\n${host}\r\n`, RequestFault.REQUEST_LINE],
  ['HTTP/1.2', `GET / HTTP/1.2\r\n${host}\r\n`, RequestFault.VERSION],
  ['HTTP/2.0', 'PRI * HTTP/2.0\r\n\r\n', RequestFault.VERSION],
  ['a blank after the version', `GET / HTTP/1.1 \r\n${host}\r\n`, RequestFault.REQUEST_LINE],
  ['a bare LF after the version', `GET / HTTP/1.1\n${host}\r\n`, RequestFault.REQUEST_LINE],
  ['a bare LF before the line', `\nGET / HTTP/1.1\r\n${host}\r\n`, RequestFault.METHOD],
  ['a bare CR before the line', `\rGET / HTTP/1.1\r\n${host}\r\n`, RequestFault.REQUEST_LINE],
  ['a space before the colon', get('x : y\r\n'), RequestFault.FIELD_NAME],
  ['an empty name', get(': y\r\n'), RequestFault.FIELD_NAME],
  ['no colon', get('x\r\n'), RequestFault.FIELD_NAME],
  ['a name with a byte above ASCII', get('x\xe9: y\r\n'), RequestFault.FIELD_NAME],
  ['a folded line', get('x: y\r\n z\r\n'), RequestFault.FOLDED],
  ['a blank before the first field', `GET / HTTP/1.1\r\n ${host}\r\n`, RequestFault.FOLDED],
  ['a bare LF after a field', get('x: y\nz: 1\r\n'), RequestFault.FIELD_VALUE],
  ['a bare CR in a value', get('x: y\rz\r\n'), RequestFault.FIELD_VALUE],
  ['two CR', get('x: y\r\r\n'), RequestFault.FIELD_VALUE],
  ['a NUL in a value', get('x: a\0b\r\n'), RequestFault.FIELD_VALUE],
  ['a DEL in a value', get('x: a\x7fb\r\n'), RequestFault.FIELD_VALUE],
  ['a CR that ends no head', `GET / HTTP/1.1\r\n${host}\rx`, RequestFault.FIELD_NAME],
  ['a bare LF that ends the head', `GET / HTTP/1.1\r\n${host}\n`, RequestFault.FIELD_NAME],
  ['no host', 'GET / HTTP/1.1\r\n\r\n', RequestFault.HOST],
  ['two hosts', get('Host: h\r\n'), RequestFault.HOST],
  ['an empty host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n', RequestFault.HOST],
  ['two hosts in one field', 'GET / HTTP/1.1\r\nHost: h, i\r\n\r\n', RequestFault.HOST],
  ['a host with a path', 'GET / HTTP/1.1\r\nHost: h/x\r\n\r\n', RequestFault.HOST],
  ['a host with user information', 'GET / HTTP/1.1\r\nHost: u@h\r\n\r\n', RequestFault.HOST],
  ['no host, absolute-form', `GET http://h/ HTTP/1.1\r\n\r\n`, RequestFault.HOST],
  ['an empty length', post('Content-Length:\r\n'), RequestFault.LENGTH],
  ['a length with a sign', post('Content-Length: +5\r\n'), RequestFault.LENGTH],
  ['a hexadecimal length', post('Content-Length: 0x5\r\n'), RequestFault.LENGTH],
  ['a length that is a list', post('Content-Length: 5, 5\r\n'), RequestFault.LENGTH],
  ['a length past 15 digits', post('Content-Length: 1000000000000000\r\n'), RequestFault.LENGTH],
  ['two lengths that differ', post('Content-Length: 5\r\nContent-Length: 6\r\n'), RequestFault.LENGTH],
  ['two lengths of one value', post('Content-Length: 5\r\nContent-Length: 05\r\n'), RequestFault.LENGTH],
  ['a length with a blank in it', post('Content-Length: 5 5\r\n'), RequestFault.LENGTH],
  ['length, then chunked', post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'), RequestFault.LENGTH],
  ['chunked, then length', post('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n'), RequestFault.LENGTH],
  ['an empty coding', post('Transfer-Encoding:\r\n'), RequestFault.CODING_END],
  ['another coding', post('Transfer-Encoding: gzip, chunked\r\n'), RequestFault.CODING],
  ['identity', post('Transfer-Encoding: identity\r\n'), RequestFault.CODING_END],
  ['chunked with a tail', post('Transfer-Encoding: chunked;x\r\n'), RequestFault.CODING_END],
  ['chunked after a vertical tab', post('Transfer-Encoding: \x0bchunked\r\n'), RequestFault.FIELD_VALUE],
  ['chunked before obs-text', post('Transfer-Encoding: chunked\xa0\r\n'), RequestFault.CODING_END],
  [
    'chunked twice',
    post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n'),
    RequestFault.CODING_END,
  ],
  [
    'chunked on HTTP/1.0',
    'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n',
    RequestFault.CODING_VERSION,
  ],
  ['another expectation', post('Expect: 200-ok\r\nContent-Length: 5\r\n'), RequestFault.EXPECTATION],
  [
    'a method that is too long',
    `${'A'.repeat(limits.methodBytes + 1)} / HTTP/1.1\r\n`,
    RequestFault.METHOD_TOO_LONG,
  ],
  ['a method without an end', 'A'.repeat(limits.requestHeadBytes), RequestFault.METHOD],
  [
    'a target that is too long',
    `GET /${'a'.repeat(limits.requestTargetBytes)} HTTP/1.1\r\n`,
    RequestFault.TARGET_TOO_LONG,
  ],
  [
    'a head that is too large',
    get(`x: ${'a'.repeat(limits.requestHeadBytes)}\r\n`),
    RequestFault.HEAD_TOO_LARGE,
  ],
  ['too many fields', get('x:\r\n'.repeat(limits.requestFields)), RequestFault.TOO_MANY_FIELDS],
];

t.test('what two parsers could read in two ways is refused, and says why', async (t) => {
  for (const [name, text, fault] of refused) t.strictSame(scan(text), { scan: Scan.REFUSED, fault }, name);
});

t.test('bounds let through what is just within them', async (t) => {
  const target = `/${'a'.repeat(limits.requestTargetBytes - 1)}`;
  t.equal(scan(`GET ${target} HTTP/1.1\r\n${host}\r\n`).target, target);
  t.equal(scan(get('x:\r\n'.repeat(limits.requestFields - 1))).scan, Scan.DONE);
  const room = limits.requestHeadBytes - get('x: \r\n').length;
  t.equal(scan(get(`x: ${'a'.repeat(room)}\r\n`)).scan, Scan.DONE);
});

t.test(
  'a head cut at any byte is partial or already refused, and comes to the verdict of the whole',
  async (t) => {
    const whole = [
      ...refused.map(([, text]) => text).filter((text) => text.length < 300),
      `\r\n\r\nGET http://a.example/x HTTP/1.1\r\n${host}A: 1\r\nConnection: b\r\nB: 2\r\n\r\n`,
      post('Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n'),
    ];
    for (const text of whole) {
      const verdict = scan(text);
      const bytes = Buffer.from(text, 'latin1');
      for (let end = 0; end <= bytes.length; end++) {
        const cut = verdictOf(scanner.scan(bytes, 0, end));
        if (cut.scan !== Scan.PARTIAL) t.strictSame(cut, verdict, `${JSON.stringify(text)} cut at ${end}`);
      }
    }
  },
);

/** Pieces of which most heads are nearly right: random bytes would all be refused at the first. */
const piece = fc.constantFrom(
  'GET ',
  'POST ',
  '/ ',
  'http://h/ ',
  'HTTP/1.1\r\n',
  'HTTP/1.0\r\n',
  'Host: h\r\n',
  'x: y\r\n',
  'X-é: y\r\n',
  'Connection: close, x\r\n',
  'Content-Length: 3\r\n',
  'Transfer-Encoding: chunked\r\n',
  'a',
  ':',
  ' ',
  '\t',
  '\r',
  '\n',
  '\0',
  '\r\n',
  '\r\n\r\n',
);

t.test('any bytes, cut anywhere: the same verdict, and nothing taken that was not there', async () => {
  const start = fc.constantFrom('', `GET / HTTP/1.1\r\n`, `POST /a HTTP/1.1\r\n${host}`, '\r\nGET /');
  const random = fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
  const pieces = fc.array(fc.oneof({ weight: 6, arbitrary: piece }, random), { maxLength: 12 });
  fc.assert(
    fc.property(start, pieces, (begin, rest) => {
      const text = begin + rest.join('');
      const bytes = Buffer.from(text, 'latin1');
      const verdict = verdictOf(scanner.scan(bytes, 0, bytes.length));
      for (let end = 0; end < bytes.length; end++) {
        const cut = verdictOf(scanner.scan(bytes, 0, end));
        if (cut.scan === Scan.PARTIAL) continue;
        if (JSON.stringify(cut) !== JSON.stringify(verdict)) throw new Error(`differs when cut at ${end}`);
      }
      if (verdict.scan !== Scan.DONE) return;
      const { fields = '', length = 0 } = verdict;
      if (!/^(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)*$/.test(fields)) {
        throw new Error(`not field lines: ${JSON.stringify(fields)}`);
      }
      const head = text.slice(0, length);
      for (const line of fields.split('\r\n')) {
        if (!head.includes(`\r\n${line}`)) throw new Error(`not in the head: ${JSON.stringify(line)}`);
      }
    }),
    { numRuns: 3000 },
  );
});
