import { limits } from '../../../core/limits.js';
import t from '../../support/tap.js';
import type { Pair } from './hpack-lists.js';
import { frame, get, post, ServerSide } from './session-side.js';

/** What becomes of a request: what its owner was given, or the code with which its stream was reset. */
function requestOf(pairs: readonly Pair[], ends = true): string {
  const side = new ServerSide().greeted();
  const sent = side.feed(side.headers(1, pairs, ends));
  const event = side.events().find((text) => text.startsWith('1 '));
  return event?.slice(2) ?? sent[0]!;
}

const MALFORMED = 'RST_STREAM 1 PROTOCOL_ERROR';
const without = (name: string): Pair[] => get.filter(([other]) => other !== name);
const withPair = (name: string, value: string): Pair[] => [...get, [name, value]];

t.test('fields are the lines of HTTP/1.1 in their order', async (t) => {
  const pairs: Pair[] = [
    ...get,
    ['a', '1'],
    ['accept', '*/*'],
    ['a', '2'],
    ['x-empty', ''],
    ['x-high', '\xe9\xff'],
  ];
  t.equal(
    requestOf(pairs),
    'request GET / h "a: 1\\r\\naccept: */*\\r\\na: 2\\r\\nx-empty: \\r\\nx-high: éÿ\\r\\n"',
  );
});

t.test('section 8.2.3: the parts of a cookie are joined', async (t) => {
  const pairs: Pair[] = [...get, ['cookie', 'a=1'], ['x', 'y'], ['cookie', 'b=2; c=3'], ['cookie', 'd=4']];
  t.equal(requestOf(pairs), 'request GET / h "x: y\\r\\ncookie: a=1; b=2; c=3; d=4\\r\\n"');
});

t.test('how a body is announced', async (t) => {
  t.equal(requestOf(post), 'request POST / h ""');
  t.equal(requestOf(post, false), 'request POST / h (?) ""');
  t.equal(requestOf([...post, ['content-length', '7']], false), 'request POST / h (7) ""');
  t.equal(
    requestOf([...post, ['content-length', '7'], ['content-length', '7']], false),
    'request POST / h (7) ""',
  );
  t.equal(requestOf([...post, ['content-length', '0']]), 'request POST / h (0) ""');
  t.equal(requestOf([...post, ['expect', '100-continue']], false), 'request POST / h (?) expects ""');
  t.equal(requestOf([...post, ['expect', '100-continue']]), 'request POST / h ""', 'nothing waits for a 100');
});

t.test('section 8.2.2: TE says trailers, or the request is malformed', async (t) => {
  t.equal(requestOf(withPair('te', 'trailers')), 'request GET / h "Connection: TE\\r\\nTE: trailers\\r\\n"');
  t.equal(requestOf(withPair('te', 'gzip')), MALFORMED);
  t.equal(requestOf(withPair('te', 'trailers, deflate;q=0.5')), MALFORMED);
});

t.test('section 8.3.1: the authority, a Host field, or both', async (t) => {
  t.equal(requestOf([...without(':authority'), ['host', 'a:8080']]), 'request GET / a:8080 ""');
  t.equal(requestOf(withPair('host', 'H')), 'request GET / h ""');
  t.equal(requestOf(withPair('host', 'other')), MALFORMED);
  t.equal(requestOf(without(':authority')), 'refused host');
  t.equal(requestOf([...without(':authority'), [':authority', 'user@h']]), 'refused host');
  t.equal(requestOf([...get, ['host', 'h'], ['host', 'h']]), 'refused host');
});

t.test('section 8.3.1: the path', async (t) => {
  const path = (value: string, method = 'GET'): string =>
    requestOf([[':method', method], ...without(':path').slice(1), [':path', value]]);
  t.equal(path('/a/b?c=%20d\xfc'), 'request GET /a/b?c=%20d\xfc h ""');
  t.equal(path('*', 'OPTIONS'), 'request OPTIONS * h ""');
  t.equal(path('*'), MALFORMED);
  t.equal(path(''), MALFORMED);
  t.equal(path('a'), MALFORMED);
  t.equal(path('http://h/'), MALFORMED);
  t.equal(path('/a b'), 'refused target');
  t.equal(path('/a#b'), 'refused target');
  t.equal(path(`/${'a'.repeat(limits.requestTargetBytes - 1)}`).slice(0, 11), 'request GET');
  t.equal(path(`/${'a'.repeat(limits.requestTargetBytes)}`), 'refused target-too-long');
});

t.test('requests that are malformed (sections 8.2 and 8.3)', async (t) => {
  const rows: [why: string, pairs: readonly Pair[]][] = [
    ['no method', without(':method')],
    ['no scheme', without(':scheme')],
    ['no path', without(':path')],
    ['two methods', [...get, [':method', 'GET']]],
    ['two authorities', [...get, [':authority', 'h']]],
    ['an empty method', [[':method', ''], ...without(':method')]],
    ['a method that is not a token', [[':method', 'G T'], ...without(':method')]],
    ['a pseudo-header behind a field', [...without(':path'), ['a', 'b'], [':path', '/']]],
    ['a pseudo-header of a response', withPair(':status', '200')],
    ['a pseudo-header that nobody defined', withPair(':x', 'y')],
    ['a name that is empty', withPair('', 'y')],
    ['a name with a blank', withPair('a b', 'c')],
    ['a name with a colon', withPair('a:b', 'c')],
    ['a name with a control character', withPair('a\x01', 'c')],
    ['a name above ASCII', withPair('\xe9', 'c')],
    ['NUL in a value', withPair('a', 'b\0')],
    ['LF in a value', withPair('a', 'b\nc: d')],
    ['CR in a value', withPair('a', 'b\rc')],
    ['a blank before a value', withPair('a', ' b')],
    ['a tab behind a value', withPair('a', 'b\t')],
    ['LF in a path', [...without(':path'), [':path', '/\n']]],
    ['connection', withPair('connection', 'close')],
    ['keep-alive', withPair('keep-alive', 'timeout=5')],
    ['proxy-connection', withPair('proxy-connection', 'x')],
    ['transfer-encoding', withPair('transfer-encoding', 'chunked')],
    ['upgrade', withPair('upgrade', 'h2c')],
    ['a length that is not a number', withPair('content-length', '1x')],
    ['an empty length', withPair('content-length', '')],
    ['a length with a sign', withPair('content-length', '+0')],
    ['a length that is too long', withPair('content-length', '0'.repeat(16))],
    ['a list of lengths', withPair('content-length', '0, 0')],
    ['two lengths', [...get, ['content-length', '0'], ['content-length', '00']]],
  ];
  for (const [why, pairs] of rows) t.equal(requestOf(pairs), MALFORMED, why);
});

t.test('a name with a capital letter is malformed', async (t) => {
  const side = new ServerSide().greeted();
  const block = Buffer.concat([side.headers(1, get).subarray(9), Buffer.from('\x00\x01A\x01b')]);
  t.strictSame(side.feed(frame(1, 5, 1, block)), [MALFORMED]);
});

t.test('requests that umbra answers itself', async (t) => {
  t.equal(
    requestOf([
      [':method', 'CONNECT'],
      [':authority', 'h:1'],
    ]),
    'refused connect',
  );
  t.equal(requestOf(withPair('expect', 'x')), 'refused expectation');
  t.equal(requestOf([[':method', 'HEAD'], ...get.slice(1), ['expect', 'x']]), 'refused expectation of HEAD');
  t.equal(requestOf(withPair('content_length', '5')), 'refused field-name');
  t.equal(requestOf(withPair('transfer_encoding', 'chunked')), 'refused field-name');
  t.equal(requestOf([...without(':scheme'), [':scheme', 'ftp']]), 'refused target');
  t.equal(requestOf(withPair('x-large', 'a'.repeat(16_384))), 'refused head-too-large');
  const many = Array.from({ length: limits.requestFields }, (_, i): Pair => ['a', `${i}`]);
  t.equal(requestOf([...get, ...many]), 'refused head-too-large');
});

t.test('a malformed request that is too large, too, is malformed', async (t) => {
  t.equal(requestOf([['a', 'b'], ...get, ['x-large', 'a'.repeat(16_384)]]), MALFORMED);
});

t.test('names of fields that may never be indexed are handed on', async (t) => {
  const side = new ServerSide().greeted();
  side.feed(side.headers(1, [...get, ['cookie', 'a=1'], ['authorization', 'b'], ['x', 'y']]));
  t.equal(side.neverIndexed, ',cookie,authorization,');
});
