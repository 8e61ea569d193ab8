import { Cors, withCors } from '../../../core/exchange/cors.js';
import { RequestHead } from '../../../core/http/message.js';
import type { CorsPlan } from '../../../core/plan.js';
import t from '../../support/tap.js';

const plan: CorsPlan = {
  origins: [{ kind: 'exact', value: 'https://a.test' }],
  methods: [],
  headers: [],
  expose: [],
  maxAgeS: null,
  credentials: false,
  forwardsUnmatched: false,
};
const ask = (method: string, fields: Record<string, string>): RequestHead =>
  Object.assign(new RequestHead(), {
    method,
    fields: Object.entries(fields)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join(''),
  });
const preflight = (fields: Record<string, string> = {}): RequestHead =>
  ask('OPTIONS', { Origin: 'https://a.test', 'Access-Control-Request-Method': 'PUT', ...fields });
const linesOf = (changes: Partial<CorsPlan>, fields: Record<string, string> = {}): string[] =>
  new Cors({ ...plan, ...changes }).preflight(preflight(fields))!.lines.split('\r\n').slice(0, -1);

t.test('a preflight request is OPTIONS with an origin and a method that is asked for', async (t) => {
  const cors = new Cors(plan);
  t.equal(
    cors.preflight(ask('GET', { origin: 'https://a.test', 'access-control-request-method': 'GET' })),
    null,
  );
  t.equal(cors.preflight(ask('OPTIONS', { origin: 'https://a.test' })), null);
  t.equal(cors.preflight(ask('OPTIONS', { 'access-control-request-method': 'GET' })), null);
  t.match(cors.preflight(preflight()), { status: 200, body: '' });
});

t.test('an origin that may gets what the route says, and any other one nothing', async (t) => {
  t.strictSame(
    linesOf({ methods: ['GET', 'PUT'], headers: ['x-a'], expose: ['x-b'], maxAgeS: 60, credentials: true }),
    [
      'access-control-allow-origin: https://a.test',
      'access-control-allow-credentials: true',
      'access-control-expose-headers: x-b',
      'vary: origin',
      'access-control-allow-methods: GET, PUT',
      'access-control-allow-headers: x-a',
      'access-control-max-age: 60',
    ],
  );
  t.strictSame(linesOf({}), ['access-control-allow-origin: https://a.test', 'vary: origin']);
  t.strictSame(linesOf({}, { Origin: 'https://b.test' }), ['vary: origin']);
  const forwards = new Cors({ ...plan, forwardsUnmatched: true });
  t.equal(forwards.preflight(preflight({ Origin: 'https://b.test' })), null);
});

t.test('a * permits what is asked for, by its name', async (t) => {
  const any = { methods: ['*'], headers: ['*'], expose: ['*'], credentials: true };
  t.strictSame(linesOf(any, { 'Access-Control-Request-Headers': 'x-a, x-b' }).slice(1), [
    'access-control-allow-credentials: true',
    'vary: origin',
    'access-control-allow-methods: PUT',
    'access-control-allow-headers: x-a, x-b',
  ]);
  t.notOk(linesOf(any).some((line) => line.startsWith('access-control-allow-headers')));
});

t.test('origins are compared whole, by their beginning, or by an expression; * is every one', async (t) => {
  const takes = (kind: 'exact' | 'prefix' | 'regex', value: string, origin: string): boolean =>
    new Cors({ ...plan, origins: [{ kind, value }] }).lines(ask('GET', { origin })) !== '';
  t.ok(takes('exact', '*', 'https://any.test'));
  t.notOk(takes('exact', 'https://a.test', 'https://a.test:81'));
  t.ok(takes('prefix', 'https://a.', 'https://a.test'));
  t.ok(takes('regex', 'https://.+\\.test', 'https://a.b.test'));
  t.notOk(takes('regex', 'https://.+\\.test', 'https://a.b.test.evil'));
  t.equal(new Cors(plan).lines(ask('GET', {})), '', 'a request without an origin is none of another one');
});

t.test('what the version says of it is replaced, where the origin may', async (t) => {
  const fields = 'Access-Control-Allow-Origin: *\r\nx-a: 1\r\n';
  t.equal(withCors(fields, ''), fields);
  t.equal(
    withCors(fields, 'access-control-allow-origin: b\r\n'),
    'x-a: 1\r\naccess-control-allow-origin: b\r\n',
  );
});
