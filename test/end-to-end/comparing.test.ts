// Runs over one engine: pairs are made and compared behind the engines.
import { gzipSync } from 'node:zlib';
import type { DiffGroup, Diffs } from '../../core/compare/diff-book.js';
import { serveOrigin } from '../../workers/demo/origins.js';
import { askMany } from '../support/client.js';
import { lawHolds } from '../support/law.js';
import { type Answer, Origin } from '../support/origin.js';
import { refusedPort } from '../support/raw-server.js';
import t from '../support/tap.js';
import { reviews, UmbraProcess, until } from '../support/umbra.js';

const concurrency = 8;
const compare = { sample: '100%', baseline: 'v1' };

async function diffsAfter(umbra: UmbraProcess, compared: number): Promise<Diffs> {
  return until(async () => {
    const diffs = (await umbra.admin('GET', '/api/diffs')).json as Diffs;
    return (diffs.mirrors[0]?.compared ?? 0) >= compared && diffs;
  }, `${compared} pairs are compared`);
}

/** `kind path count`, noise marked. */
function named(groups: readonly DiffGroup[]): string[] {
  return groups
    .map(
      ({ kind, path, change, count, noise }) => `${kind} ${path} ${change} ${count}${noise ? ' noise' : ''}`,
    )
    .sort();
}

async function between(v1: Answer, v2: Answer, mirror: object): Promise<[UmbraProcess, () => Promise<void>]> {
  const origins = await Promise.all([Origin.listen(v1), Origin.listen(v2)]);
  const umbra = await UmbraProcess.start(reviews(origins[0].port, origins[1].port, { mirror }));
  return [
    umbra,
    async () => {
      await umbra.stop();
      await Promise.all(origins.map((origin) => origin.close()));
    },
  ];
}

const json = (value: object, status = 200, fields: Record<string, string> = {}): Answer => {
  return (_received, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...fields });
    response.end(JSON.stringify(value));
  };
};

t.test("the demo's two versions differ in their stars and their name, and in nothing else", async (t) => {
  const origins = await Promise.all([serveOrigin('v1', 0), serveOrigin('v2', 0)]);
  const [v1, v2] = origins.map((origin) => (origin.address() as { port: number }).port);
  const umbra = await UmbraProcess.start(reviews(v1, v2, { mirror: { compare: { sample: '100%' } } }));
  await askMany(umbra.port, 20, concurrency, (index) => ({ target: `/reviews/${index}` }));
  const { groups } = await diffsAfter(umbra, 20);
  t.strictSame(named(groups), ['json $.reviews[*].stars extra 20', 'json $.version value 20']);
  const stars = groups.find(({ path }) => path === '$.reviews[*].stars')!;
  t.match(stars.samples[0], { at: '$.reviews[0].stars', shadow: 5, request: /^GET \/reviews\/\d+$/ });
  t.notOk('primary' in stars.samples[0], 'the primary has nothing there');
  await umbra.stop();
  for (const origin of origins) origin.close();
});

t.test(
  'one field, one header and one status in a hundred are named, and a random field is named as noise',
  async (t) => {
    let requests = 0;
    const answer = (version: 'v1' | 'v2'): Answer => {
      return (received, response, request) => {
        const id = Number(received.target.split('/').at(-1));
        const failed = version === 'v2' && id % 100 === 7;
        const body = {
          id,
          price: version === 'v1' ? 1 : 2,
          trace: requests++,
          password: `${version}-secret`,
        };
        const fields = { 'x-build': version, 'set-cookie': `sid=${version}-secret` };
        json(body, failed ? 503 : 200, fields)(received, response, request);
      };
    };
    const [umbra, stop] = await between(answer('v1'), answer('v2'), { compare });
    await askMany(umbra.port, 200, concurrency, (index) => ({ target: `/reviews/${index}` }));
    await lawHolds(t, umbra);
    const diffs = await until(async () => {
      const diffs = await diffsAfter(umbra, 198);
      return diffs.mirrors[0].baseline?.compared === 200 && diffs;
    }, 'the baseline is compared');
    // An outcome wakes nobody, so pairs are known a little later than that nothing is in flight.
    const stats = await umbra.stats();
    t.strictSame(named(diffs.groups), [
      'header set-cookie sid value 198',
      'header x-build value 198',
      'json $.password value 198',
      'json $.price value 198',
      'json $.trace value 198 noise',
      'status 200 503 value 2',
    ]);
    t.notMatch(JSON.stringify(diffs), /secret/, 'no secret is in a sample');
    t.match(diffs.mirrors, [
      {
        route: 'reviews',
        version: 'v2',
        compared: 198,
        different: 198,
        differentBeyondNoise: 198,
        undecided: 0,
        errors: 2,
        notComparable: 0,
        overflow: [],
        baseline: { version: 'v1', compared: 200, different: 200 },
        endpoints: [{ endpoint: 'GET /reviews/*', compared: 200, baselineCompared: 200, triples: 200 }],
      },
    ]);
    t.match(stats.mirrors, [
      {
        to: 'v2',
        baselineOf: null,
        compare: { paired: 200, statusDifferent: 2, sampled: 200, examined: 200 },
      },
      { to: 'v1', baselineOf: 'v2', eligible: 200, sent: 200, compare: { sampled: 200, examined: 200 } },
    ]);
    t.match(stats.versions.v1, { primary: { requests: 200 }, shadow: { requests: 200 } });
    t.match(
      await umbra.metrics(),
      /umbra_mirror_sent_total\{[^}]*version="v1",role="shadow",baseline_of="v2"\} 200/,
    );
    await stop();
  },
);

t.test(
  'between two equal versions all that differs is noise, and writes are not sent twice to the primary',
  async (t) => {
    const answer: Answer = (received, response, request) =>
      json({ target: received.target, requestId: Math.random() })(received, response, request);
    const [umbra, stop] = await between(answer, answer, { compare });
    await askMany(umbra.port, 40, concurrency, (index) => ({ target: `/reviews/${index}` }));
    await askMany(umbra.port, 10, concurrency, () => ({
      target: '/reviews',
      method: 'POST',
      body: Buffer.from('x'),
    }));
    const stats = await lawHolds(t, umbra);
    const diffs = await until(async () => {
      const diffs = await diffsAfter(umbra, 50);
      return diffs.mirrors[0].baseline?.compared === 40 && diffs;
    }, 'the baseline is compared');
    t.strictSame(named(diffs.groups), ['json $.requestId value 10', 'json $.requestId value 40 noise']);
    t.match(diffs.mirrors[0], { different: 50, differentBeyondNoise: 0, undecided: 10 });
    t.match(stats.mirrors[1], { eligible: 50, sent: 40, dropped: { method: 10 } });
    await stop();
  },
);

const bomb = gzipSync(Buffer.alloc(20 * 1024 * 1024));
const whole = gzipSync(Buffer.from('{"a":1}'));

/** What a shadow answers in place of `{"a":1}`, and what it comes to. */
const hostile: readonly { name: string; body: Buffer; coding?: string; group: string }[] = [
  { name: 'not what its type says', body: Buffer.from('<html>'), group: 'not-comparable invalid-json' },
  { name: 'a zip bomb', body: bomb, coding: 'gzip', group: 'not-comparable decoded-too-large' },
  {
    name: 'a stream cut short',
    body: whole.subarray(0, -6),
    coding: 'gzip',
    group: 'not-comparable invalid-encoding',
  },
  { name: 'a coding of its own', body: whole, coding: 'secret', group: 'not-comparable unknown-encoding' },
  { name: 'far too long', body: Buffer.alloc(8 * 1024 * 1024, '['), group: 'not-comparable too-large' },
  { name: 'nested 10,000 deep', body: Buffer.from('['.repeat(10_000)), group: 'not-comparable too-deep' },
  { name: 'not UTF-8', body: Buffer.from([0x22, 0xff, 0x22]), group: 'not-comparable invalid-utf8' },
  { name: 'empty', body: Buffer.alloc(0), group: 'not-comparable empty' },
  { name: 'the same, compressed, which is equal', body: whole, coding: 'gzip', group: '' },
];

t.test('a body that can not be compared is an outcome with a reason', async (t) => {
  const v2: Answer = (received, response) => {
    const { body, coding } = hostile[Number(received.target.split('/').at(-1))];
    response.writeHead(200, {
      'content-type': 'application/json',
      ...(coding === undefined ? {} : { 'content-encoding': coding }),
    });
    response.end(body);
  };
  const [umbra, stop] = await between(json({ a: 1 }), v2, {
    compare: { sample: '100%', ignore: ['header:transfer-encoding'] },
  });
  for (const [index, { name, group }] of hostile.entries()) {
    const before = new Set(index === 0 ? [] : named((await diffsAfter(umbra, index)).groups));
    await askMany(umbra.port, 1, 1, () => ({ target: `/reviews/${index}` }));
    const added = named((await diffsAfter(umbra, index + 1)).groups).filter((line) => !before.has(line));
    const isNamed = added.some((line) => line.startsWith(`${group} `));
    t.ok(group === '' ? added.length === 0 : isNamed, `${name}: ${added}`);
  }
  await lawHolds(t, umbra);
  await stop();
});

t.test('comparing continues when the control thread or a shadow thread is replaced', async (t) => {
  const origins = await Promise.all([Origin.listen(json({ a: 1 })), Origin.listen(json({ a: 2 }))]);
  // A port that is known: a new control thread would listen on another one.
  const admin = { address: `127.0.0.1:${await refusedPort()}` };
  const umbra = await UmbraProcess.startBreakable(
    reviews(origins[0].port, origins[1].port, { mirror: { compare: { sample: '100%' } }, umbra: { admin } }),
  );
  for (const thread of ['control', 'shadow-0']) {
    await umbra.makeThrow(thread);
    await askMany(umbra.port, 10, concurrency, () => ({ target: '/reviews' }));
    const { groups } = await diffsAfter(umbra, 10);
    t.match(groups, [{ path: '$.a' }], `after ${thread} was replaced`);
  }
  await lawHolds(t, umbra);
  await umbra.stop();
  await Promise.all(origins.map((origin) => origin.close()));
});
