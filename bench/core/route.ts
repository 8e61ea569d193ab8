/**
 * What routing and sampling cost for one request. Rivals: the routes tried one by one with fresh string work,
 * as a first draft would, and node:crypto's SHA-1 for the key.
 */
import { createHash } from 'node:crypto';
import { fieldValue } from '../../core/http/fields.js';
import { RequestHead } from '../../core/http/message.js';
import type { MirrorPlan, RoutePlan, SamplePlan } from '../../core/plan.js';
import { seededRandom } from '../../core/route/random.js';
import { Sampler } from '../../core/route/sampler.js';
import { WeightedPrimaries } from '../../core/route/weighted-primaries.js';
import { route, tableOf } from '../../test/core/route/support.js';
import { measured, printTable } from './measure.js';
import { browserFields } from './request-fields.js';

const ROUTES = 100;
const HEADS = 64;

const fields = browserFields('x-user: 8a6e0804-2bd0-4672-b79d-d97027f9071a');

/** Strings as an engine hands them out: fresh from bytes, so that no hash of them is known. */
function heads(host: (i: number) => string, target: (i: number) => string): RequestHead[] {
  return Array.from({ length: HEADS }, (_, i) => {
    const head = new RequestHead();
    const n = Math.floor((i * ROUTES) / HEADS);
    head.host = Buffer.from(host(n), 'latin1').toString('latin1');
    head.target = Buffer.from(target(n), 'latin1').toString('latin1');
    head.fields = Buffer.from(fields, 'latin1').toString('latin1');
    return head;
  });
}

function naiveFind(routes: readonly RoutePlan[], head: RequestHead): number {
  return routes.findIndex(({ matches: [match] }) => {
    if (match.host !== null && head.host.split(':')[0]!.toLowerCase() !== match.host) return false;
    if (match.path !== null && !head.target.split('?')[0]!.startsWith(match.path.value)) return false;
    if (match.methods !== null && !match.methods.includes(head.method)) return false;
    return match.headers.every(
      ({ name, value }) =>
        head.fields.split('\r\n').find((line) => line.startsWith(`${name}: `)) === `${name}: ${value}`,
    );
  });
}

function findBench(title: string, routes: readonly RoutePlan[], requests: readonly RequestHead[]): void {
  const table = tableOf(routes);
  const over = (find: (head: RequestHead) => number) => (times: number) => {
    let sum = 0;
    for (let i = 0; i < times; i++) sum += find(requests[i & (HEADS - 1)]!);
    return sum;
  };
  printTable(title, [
    measured(
      'no-op',
      over((head) => head.target.length),
    ),
    measured(
      'RouteTable.find',
      over((head) => table.find(head)),
    ),
    measured(
      'rival: one by one',
      over((head) => naiveFind(routes, head)),
    ),
  ]);
}

const numbered = Array.from({ length: ROUTES }, (_, i) => i);
const hostOf = (i: number): string => `service-${i}.example.com`;

findBench(
  '100 routes by host',
  numbered.map((i) => route({ host: hostOf(i) })),
  heads(hostOf, () => '/reviews/7?page=2'),
);
findBench(
  '100 routes by path prefix on one host',
  numbered.map((i) =>
    route({ host: 'shop.example.com', path: { kind: 'prefix', value: `/service-${i}/`, ignoreCase: false } }),
  ),
  heads(
    () => 'shop.example.com',
    (i) => `/service-${i}/item?page=2`,
  ),
);
findBench(
  '100 hosts, each with a canary route by header in front',
  numbered.flatMap((i) => [
    route({ host: hostOf(i), headers: [{ name: 'x-canary', kind: 'exact', value: '1' }] }),
    route({
      host: hostOf(i),
      path: { kind: 'prefix', value: '/reviews', ignoreCase: false },
      methods: ['GET', 'HEAD'],
    }),
  ]),
  heads(hostOf, () => '/reviews/7?page=2'),
);

findBench(
  '100 routes by a query parameter, a cookie and a header of one path',
  numbered.map((i) =>
    route({
      path: { kind: 'prefix', value: `/service-${i}/`, ignoreCase: false },
      headers: [{ name: 'x-user', kind: 'present', value: '' }],
      cookies: [{ name: 'session', kind: 'prefix', value: '4c' }],
      queries: [{ name: 'page', kind: 'exact', value: '2' }],
    }),
  ),
  heads(hostOf, (i) => `/service-${i}/item?sort=up&page=2`),
);

findBench(
  '100 routes of one path by the exact value of a header',
  numbered.map((i) => route({ headers: [{ name: 'x-user', kind: 'exact', value: tenant(i) }] })),
  heads(hostOf, () => '/'),
);

function tenant(i: number): string {
  // The last route is the one that matches.
  return i === ROUTES - 1
    ? '8a6e0804-2bd0-4672-b79d-d97027f9071a'
    : `8a6e0804-2bd0-4672-b79d-d97027f9${1000 + i}`;
}

findBench(
  '100 routes by path in either case, each with a second match and an exception',
  numbered.map((i) => {
    const [first] = route({
      path: { kind: 'prefix', value: `/service-${i}/`, ignoreCase: true },
      without: { headers: [{ name: 'x-bot', kind: 'present', value: '' }], cookies: [], queries: [] },
    }).matches;
    const [second] = route({ path: { kind: 'exact', value: `/only-${i}`, ignoreCase: false } }).matches;
    return { ...route({}), matches: [first!, second!] };
  }),
  heads(hostOf, (i) => `/service-${i}/item?page=2`),
);

const sampler = new Sampler('umbra', seededRandom(crypto.getRandomValues(new Uint32Array(4))));
const client = { clientAddress: () => '203.0.113.77' };
const [head] = heads(hostOf, () => '/');

function samplerBench(name: string, sample: SamplePlan) {
  const mirror = { shareMillionths: 250_000, sample } as MirrorPlan;
  return measured(name, (times) => {
    let sum = 0;
    for (let i = 0; i < times; i++) sum += sampler.chosen(mirror, head!, client) ? 1 : 0;
    return sum;
  });
}

function splitBench(name: string, sample: SamplePlan) {
  const split = new WeightedPrimaries([0, 1, 2], [98, 1, 1], sample, sampler);
  return measured(name, (times) => {
    let sum = 0;
    for (let i = 0; i < times; i++) sum += split.choose(head!, client);
    return sum;
  });
}

printTable('WeightedPrimaries.choose among three versions', [
  measured('no-op', (times) => {
    let sum = 0;
    for (let i = 0; i < times; i++) sum += i & 1;
    return sum;
  }),
  splitBench('random', { by: 'random' }),
  splitBench('cookie, the second of three', { by: 'cookie', name: 'session' }),
]);

printTable('Sampler.chosen at 25 %', [
  measured('no-op', (times) => {
    let sum = 0;
    for (let i = 0; i < times; i++) sum += i & 1;
    return sum;
  }),
  samplerBench('random', { by: 'random' }),
  samplerBench('header, the sixth of six, a UUID', { by: 'header', name: 'x-user' }),
  samplerBench('cookie, the second of three', { by: 'cookie', name: 'session' }),
  samplerBench('client', { by: 'client' }),
  measured('rival: SHA-1 of that header', (times) => {
    let sum = 0;
    for (let i = 0; i < times; i++) {
      const digest = createHash('sha1').update('umbra').update(fieldValue(head!.fields, 'x-user')!).digest();
      sum += digest.readUInt32LE(0) & 1;
    }
    return sum;
  }),
]);
