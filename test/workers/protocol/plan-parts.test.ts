import type { Plan, RoutePlan } from '../../../core/plan.js';
import type { ThreadStart } from '../../../workers/protocol/messages.js';
import { PlanParts, partsOf, perPart } from '../../../workers/protocol/plan-parts.js';
import t from '../../support/tap.js';

const version = (name: string) => ({ name }) as Plan['versions'][number];
const planOf = (generation: number, routes: number, versions: string[] = []): Plan =>
  ({
    generation,
    routes: Array.from({ length: routes }, (_, index) => ({ name: `r${index}` }) as RoutePlan),
    versions: versions.map(version),
  }) as unknown as Plan;
const block = () => new SharedArrayBuffer(8);
const startedWith = (generation: number, names: string[] = [], blocks: SharedArrayBuffer[] = []) =>
  new PlanParts({
    plan: planOf(generation, 0, names),
    counters: { versions: blocks, mirrors: [], releases: new Map() },
  } as unknown as ThreadStart);
const nothing = { versions: [], mirrors: [], releases: [] };

t.test('the parts of a plan together are its routes, in order', async (t) => {
  const plan = planOf(2, 2 * perPart + 1);
  const parts = partsOf(plan, nothing);
  t.equal(parts.length, 3);
  const thread = startedWith(1);
  for (const part of parts) thread.add(part);
  t.strictSame(thread.whole({ ...plan, routes: [] })?.routes, plan.routes);
});

t.test('counters come with the parts, and those that the thread had stay', async (t) => {
  const [old, fresh, mirror, own] = [block(), block(), block(), block()];
  const thread = startedWith(1, ['v1'], [old]);
  const plan = planOf(2, 1, ['v2', 'v1', 'unused']);
  for (const part of partsOf(plan, {
    versions: [['v2', fresh]],
    mirrors: [[3, mirror]],
    releases: [['a v2', own]],
  }))
    thread.add(part);
  const whole = thread.whole(plan)!;
  const counters = thread.countersFor(whole);
  t.strictSame([...counters.versions], [fresh, old, undefined]);
  t.equal(counters.mirrors[3], mirror);
  t.equal(counters.releases.get('a v2'), own);
});

t.test('a thread that began with the plan takes no part of it twice', async (t) => {
  const plan = planOf(2, perPart);
  const thread = startedWith(2);
  for (const part of partsOf(plan, nothing)) thread.add(part);
  t.equal(thread.whole(plan), null);
  const next = planOf(3, 1);
  for (const part of partsOf(next, nothing)) thread.add(part);
  t.equal(thread.whole(next)?.routes.length, 1);
});

t.test('a plan without routes needs no parts', async (t) => {
  t.equal(partsOf(planOf(2, 0), nothing).length, 0);
  t.strictSame(startedWith(1).whole(planOf(2, 0))?.routes, []);
});
