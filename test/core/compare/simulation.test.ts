/** The short form of `npm run simulate` for differences: whole runs of the real `DiffBook`, seeded. */
import t from '../../support/tap.js';
import { type Field, fields, seeded, shareBeyondNoise, simulate, type Version } from './simulated.js';

const nonce: Field = (random) => String(random());
const boolean: Field = (random) => random() < 0.5;
const atTimes: Field = (random) => (random() < 0.3 ? String(random()) : 'x');
const mayMiss: Field = (random) => (random() < 0.3 ? undefined : 'x');
const always: Field = () => 1;

const equals: readonly (readonly [string, Version, number, number])[] = [
  ['one field that never repeats', fields(1, nonce), 200, 50],
  ['12 fields that never repeat', fields(12, nonce), 200, 20],
  ['50 fields that differ at times', fields(50, atTimes), 100, 10],
  ['200 fields that never repeat', fields(200, nonce), 50, 4],
  ['20 random booleans', fields(20, boolean), 300, 20],
  ['65 timestamps', fields(65, nonce), 80, 8],
  ['20 fields that may be missing', fields(20, mayMiss), 200, 20],
];

for (const [name, version, pairs, runs] of equals) {
  t.test(`equal versions with ${name} never differ beyond noise`, async (t) => {
    t.equal(shareBeyondNoise({ v1: version, v2: version, pairs }, runs, 1), 0);
  });
}

const wrongs: readonly (readonly [string, Version])[] = [
  ['null', { f3: () => null }],
  ['of another type', { f3: (random) => random() }],
  ['constant', { f3: () => 'abc' }],
];

for (const [name, wrong] of wrongs) {
  t.test(`a token that is ${name} where v1's is random is found behind 12 noisy fields`, async (t) => {
    const v1 = fields(12, nonce);
    t.equal(shareBeyondNoise({ v1, v2: { ...v1, ...wrong }, pairs: 150 }, 10, 1), 1);
  });
}

t.test('a token that is missing is found, and its group is named', async (t) => {
  const v1 = fields(12, nonce);
  const { f3: _, ...v2 } = v1;
  const { groups, mirrors } = simulate({ v1, v2, pairs: 100 }, seeded(1));
  t.match(groups[0], { path: '$.f3', change: 'missing', class: 'different', count: 100 });
  t.ok(groups.slice(1).every(({ noise }) => noise));
  t.match(mirrors, [{ differentBeyondNoise: 100, undecided: 0 }]);
});

t.test('a boolean that no longer changes is found', async (t) => {
  const v1 = fields(12, boolean);
  const { groups } = simulate({ v1, v2: { ...v1, f3: () => true }, pairs: 600 }, seeded(1));
  t.match(groups[0], { path: '$.f3', change: 'value', class: 'different', constant: true });
  t.notOk(groups[1].class === 'different');
});

t.test(
  'writes that are wrong are found where reads are noisy, and noise of their reads is theirs',
  async (t) => {
    const v1: Version = { ts: nonce, total: (_, i) => (i % 2 === 0 ? String(i) : nonce(Math.random, i)) };
    const v2: Version = { ts: nonce, total: (_, i) => (i % 2 === 0 ? 'wrong' : nonce(Math.random, i)) };
    const request = (i: number) => (i % 2 === 0 ? 'POST /orders' : 'GET /other');
    const { groups, mirrors } = simulate({ v1, v2, pairs: 200, request }, seeded(1));
    const writes = groups.filter(({ isWrite }) => isWrite);
    t.match(
      writes.find(({ path }) => path === '$.total'),
      { endpoint: 'POST /orders', class: 'different', baseline: null },
    );
    t.match(
      writes.find(({ path }) => path === '$.ts'),
      { endpoint: 'POST /orders', class: 'undecided', baseline: null },
      'noise of another endpoint says nothing, but values that always change may be generated',
    );
    t.match(mirrors, [{ differentBeyondNoise: 100 }]);
    const generated = simulate({ v1: { ts: nonce }, v2: { ts: nonce }, pairs: 200, request }, seeded(1));
    t.match(generated.mirrors, [{ differentBeyondNoise: 0, undecided: 100 }]);
    const same = (i: number) => (i % 2 === 0 ? 'POST /orders' : 'GET /orders');
    const equal = { v1: { ts: nonce }, v2: { ts: nonce }, pairs: 200, request: same };
    t.match(simulate(equal, seeded(1)).mirrors, [{ differentBeyondNoise: 0, undecided: 0 }]);
  },
);

t.test('one endpoint that is wrong is found behind the noise of another', async (t) => {
  const request = (i: number) => (i % 10 === 0 ? `GET /price/${i}` : 'GET /feed');
  const v1: Version = { v: (random, i) => (i % 10 === 0 ? 1 : random()) };
  const v2: Version = { v: (random, i) => (i % 10 === 0 ? 2 : random()) };
  const { groups, mirrors } = simulate({ v1, v2, pairs: 400, request }, seeded(1));
  t.match(groups[0], { endpoint: 'GET /price/*', path: '$.v', class: 'different', count: 40, compared: 40 });
  t.match(groups[1], { endpoint: 'GET /feed', path: '$.v', class: 'noise' });
  t.match(mirrors, [{ differentBeyondNoise: 40 }]);
});

t.test('a rare fault that shows at many places is found as one', async (t) => {
  const v1: Version = fields(100, always);
  const v2: Version = fields(100, always);
  let at = 0;
  for (const name of Object.keys(v2)) {
    const own = at++;
    Object.assign(v2, { [name]: (_: unknown, i: number) => (i % 1000 === own * 10 ? 2 : 1) });
  }
  const { groups, mirrors } = simulate({ v1, v2, pairs: 1000 }, seeded(1));
  t.ok(groups.every(({ class: kind, count }) => kind === 'undecided' || count > 8));
  const { differentBeyondNoise, undecided } = mirrors[0];
  t.ok(differentBeyondNoise > 70, `${differentBeyondNoise} of 100`);
  t.ok(differentBeyondNoise + undecided >= 100);
});

t.test('what may be an excess is undecided, and never equal', async (t) => {
  const { mirrors } = simulate({ v1: fields(1, boolean), v2: fields(1, boolean), pairs: 1000 }, seeded(1));
  t.equal(mirrors[0].differentBeyondNoise, 0);
  t.ok(mirrors[0].undecided > 10, `${mirrors[0].undecided} pairs may differ by the noise that is seen`);
  t.ok(mirrors[0].noisiest !== null);
});

t.test('without a counterpart the two frequencies are compared', async (t) => {
  const noisy = { v1: fields(12, atTimes), v2: fields(12, atTimes), pairs: 400 };
  const odd = { ...noisy, unmated: (i: number) => i % 2 === 1 };
  t.equal(shareBeyondNoise(odd, 20, 1), 0);
});

t.test('names that are data are one place, names of fields are not', async (t) => {
  const users: Field = nonce;
  const data = (random: () => number) => `users.u${Math.floor(random() * 5000)}.ts`;
  const random = seeded(5);
  const v: Version = new Proxy(
    {},
    {
      ownKeys: () => [data(random), 'name'],
      getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
      get: (_, name) => (name === 'name' ? always : users),
    },
  );
  const { groups, mirrors } = simulate({ v1: v, v2: v, pairs: 300 }, seeded(1));
  t.strictSame([...new Set(groups.map(({ path }) => path))], ['$.users[*].ts']);
  t.match(mirrors, [{ differentBeyondNoise: 0, overflow: [] }]);
});
