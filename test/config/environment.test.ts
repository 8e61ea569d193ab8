// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how a configuration refers to the
// environment.
import fc from 'fast-check';
import t from '../support/tap.js';
import { loaded, minimal, mirrored, told } from './told.js';

t.test('a value from the environment takes the type that its place asks for', async (t) => {
  const env = { SHARE: '12.5', COUNT: '7', OFF: 'false', DIGITS: '0123', WORD: 'endpoint', SIZE: '2KiB' };
  const mirror = (key: string) => loaded(mirrored(key), { env }).routes[0].mirrors[0];
  t.equal(mirror('percent: "${SHARE}"').percent, 125_000);
  t.equal(mirror('percent: "${SHARE}%"').percent, 125_000);
  t.equal(mirror('inFlight: "${COUNT}"').inFlight, 7);
  t.equal(mirror('enabled: "${OFF}"').enabled, false);
  t.same(mirror('host: "${WORD}"').host, { kind: 'endpoint' });
  t.equal(mirror('body: { max: "${SIZE}" }').body.max, 2048);
  t.same(mirror('headers: { set: { a: "x-${DIGITS}", b: "${DIGITS}" } }').headers.set, [
    ['a', 'x-0123'],
    ['b', '0123'],
  ]);
  t.equal(loaded(minimal('threads:\n  proxy: ${COUNT}\n'), { env }).threads.proxy, 7);
  t.match(loaded(minimal('admin: { token: "${DIGITS}" }\n'), { env }), { admin: { token: '0123' } });
  t.equal(loaded(minimal('admin: "${OFF}"\n'), { env }).admin, null);
});

t.test('a default stands in for a variable that is not set or empty', async (t) => {
  const salt = (value: string, env: NodeJS.ProcessEnv) =>
    loaded(minimal(`sampling: { salt: "${value}" }\n`), { env }).sampling.salt;
  t.equal(salt('${S:-a}', {}), 'a');
  t.equal(salt('${S:-a}', { S: '' }), 'a');
  t.equal(salt('${S:-a}', { S: 'b' }), 'b');
  t.equal(salt('x${S:-}y', {}), 'xy');
  t.equal(salt('${A}${B}', { A: '1', B: '2' }), '12');
  t.equal(salt('$${S} $5', {}), '${S} $5', 'escaped');
  t.equal(salt('${S}', { S: '${T}' }), '${T}', 'not substituted again');
  t.same(told(minimal('drain: ${S:-5m}\n')), []);
});

t.test('what can not be substituted is an error at its place', async (t) => {
  t.same(told(minimal('drain: ${GONE}\n')), [
    '1:8: `${GONE}` needs the environment variable GONE, which is not set (a default: ${GONE:-value})',
  ]);
  t.same(told(minimal('drain: ${1X}\n')).length, 1);
  t.same(told(minimal('drain: "${"\n')).length, 1);
  t.match(told(minimal('drain: ${toString}\n')), [/^1:8: .*not set/], 'an inherited property is no variable');
});

t.test('a message names the variable and never contains its value', async (t) => {
  const env = { DRAIN: 's3cret', N: '99999', TOKEN: 'se cret' };
  const problems = told(minimal('drain: ${DRAIN}\nthreads:\n  proxy: ${N}\nadmin: { token: "${TOKEN}" }\n'), {
    env,
  });
  t.equal(problems.length, 3);
  t.match(problems[0], /found `\$\{DRAIN\}`$/);
  t.match(problems[1], /found `\$\{N\}`$/);
  t.notMatch(problems.join('\n'), /s3cret|99999|se cret/);
});

t.test('no value can bring structure of its own', async () => {
  const text = minimal('sampling: { salt: "x${S:-}" }\n');
  fc.assert(
    fc.property(
      fc.string({ maxLength: 30 }).filter((value) => !/\p{Cc}/u.test(value)),
      (value) => {
        return loaded(text, { env: { S: value } }).sampling.salt === `x${value}`;
      },
    ),
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => told(text, { env: { S: value } }).length <= 1),
  );
});

t.test('without an environment there is none: a configuration from the network reads nothing', async (t) => {
  t.equal(told(minimal('drain: ${PATH}\n')).length, 1);
});

t.test('--set replaces values by position and by name, and adds what is missing', async (t) => {
  const text = mirrored('percent: 1');
  const percent = (set: string[]) => loaded(text, { set }).routes[0].mirrors[0].percent;
  t.equal(percent(['routes[0].mirrors[0].percent=5']), 50_000);
  t.equal(percent(['routes.route-1.mirrors.v2.percent=5%']), 50_000);
  t.equal(
    percent(['routes[0].mirrors[0].percent=5', 'routes[0].mirrors[0].percent=6']),
    60_000,
    'the last one holds',
  );
  t.equal(loaded(text, { set: ['threads.proxy=3'] }).threads.proxy, 3);
  t.same(loaded(text, { set: ['routes[0].match={ host: a.b, method: [get] }'] }).routes[0].match, [
    { host: 'a.b', method: ['GET'] },
  ]);
  t.equal(
    loaded(text, { set: ['routes[1].primary=v2'] }).routes[1].primary?.[0].version,
    'v2',
    'one past the end appends',
  );
  t.equal(loaded(text, { set: ['listen[0].address=127.0.0.1:0'] }).listen.length, 1);
  t.equal(loaded(text, { set: ['sampling.salt=a=b'] }).sampling.salt, 'a=b');
  t.equal(loaded(text, { set: ['sampling.salt=${S}'], env: { S: 'x' } }).sampling.salt, 'x');
});

t.test('--set that leads nowhere, or to a bad value, is named in the problem', async (t) => {
  const cases: Record<string, string> = {
    x: 'expected path=value, such as routes[0].mirrors[0].percent=5',
    '=1': 'expected path=value, such as routes[0].mirrors[0].percent=5',
    'a..b=1': 'expected path=value, such as routes[0].mirrors[0].percent=5',
    'a[x]=1': 'expected path=value, such as routes[0].mirrors[0].percent=5',
    'drian=1s': 'unknown key `drian` (did you mean `drain`?)',
    'drain=1': 'drain: expected a duration such as 250ms, 15s, 5m or 1h, found `1`',
    'drain.x=1': 'drain is a single value: `x` leads nowhere',
    'routes[5].primary=v1': 'routes has 1 items: [5] is past its end',
    'routes.route-2.primary=v1': 'routes has no item named `route-2` (did you mean `route-1`?)',
    'routes[0][0]=v1': 'routes[0] is a mapping: [0] needs a list',
    'a.__proto__.x=1': '`__proto__` can not be a key',
    'routes[0].primary=v9': 'unknown version `v9` (did you mean `v1`?)',
    'drain=[': 'YAML: Flow sequence must end with a ]',
  };
  for (const [assignment, message] of Object.entries(cases)) {
    const problems = told(mirrored('percent: 1').replace(/^/, 'drain: 1s\n'), { set: [assignment] });
    t.same(problems[0], `--set ${assignment}:1:1: ${message}`, assignment);
  }
});
