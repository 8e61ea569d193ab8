import fc from 'fast-check';
import { chooseEndpoint } from '../../../core/upstream/balancer.js';
import { Endpoint } from '../../../core/upstream/endpoint.js';
import { Health, HealthBlock } from '../../../core/upstream/health-block.js';
import t from '../../support/tap.js';
import { endpointOn, upstreamDefaults } from './exchange.js';

const slowStartMs = 10_000;
const roomy = 1_000_000;

function endpointsOf(count: number): Endpoint[] {
  return Array.from({ length: count }, (_, i) => {
    const endpoint = endpointOn(i + 1);
    const target = { endpoint, address: endpoint.address, health: HealthBlock.create() };
    const made = new Endpoint(target, upstreamDefaults.ejection, slowStartMs, () => undefined);
    blocks.set(made, new HealthBlock(target.health));
    return made;
  });
}
const blocks = new Map<Endpoint, HealthBlock>();

/** The choices of `rounds` calls that each end before the next begins. */
function shares(endpoints: readonly Endpoint[], rounds: number, nowUs: () => number): number[] {
  const counts = endpoints.map(() => 0);
  let turn = 0;
  for (let i = 0; i < rounds; i++) {
    const at = chooseEndpoint(endpoints, roomy, [], turn, nowUs);
    turn = at + 1;
    counts[at]!++;
  }
  return counts;
}

const world = fc.array(
  fc.record({
    pending: fc.nat(5),
    open: fc.nat(3),
    out: fc.boolean(),
    unhealthy: fc.boolean(),
    tried: fc.boolean(),
  }),
  { minLength: 1, maxLength: 8 },
);

t.test('the least pending is chosen of those that may be, and one that is out only if all are', async () => {
  fc.assert(
    fc.property(world, fc.nat(20), (states, turn) => {
      const connectionsMax = 3;
      const endpoints = endpointsOf(states.length);
      endpoints.forEach((endpoint, i) => {
        endpoint.pending = states[i]!.pending;
        endpoint.open = states[i]!.open;
        if (states[i]!.out) endpoint.ejection.refused(0);
        if (states[i]!.unhealthy) blocks.get(endpoint)!.set(Health.UNHEALTHY, 0);
      });
      const tried = endpoints.filter((_, i) => states[i]!.tried);
      const at = chooseEndpoint(endpoints, connectionsMax, tried, turn, () => 0);
      const untried = endpoints.filter((endpoint) => !tried.includes(endpoint));
      const usable = untried.filter((endpoint) => endpoint.usable);
      const field = (usable.length > 0 ? usable : untried).filter((one) => one.open < connectionsMax);
      if (field.length === 0) return at === -1;
      const least = Math.min(...field.map((endpoint) => endpoint.pending));
      return field.includes(endpoints[at]!) && endpoints[at]!.pending === least;
    }),
  );
});

t.test('equals take turns', async (t) => {
  t.same(
    shares(endpointsOf(4), 400, () => 0),
    [100, 100, 100, 100],
  );
});

t.test('weights share calls exactly, and pending calls make a weight smaller', async (t) => {
  const weighted = (weights: number[]): Endpoint[] =>
    weights.map((weight, i) => {
      const endpoint = { ...endpointOn(i + 1), weight };
      const target = { endpoint, address: endpoint.address, health: null };
      return new Endpoint(target, upstreamDefaults.ejection, slowStartMs, () => undefined);
    });
  const counted = (endpoints: Endpoint[], rounds: number): number[] => {
    const counts = endpoints.map(() => 0);
    for (let i = 0; i < rounds; i++) counts[chooseEndpoint(endpoints, roomy, [], 0, () => 0, true)]!++;
    return counts;
  };
  t.same(counted(weighted([90, 10]), 200), [180, 20]);
  t.same(counted(weighted([5, 1, 1]), 7), [5, 1, 1]);
  const busy = weighted([3, 1]);
  busy[0]!.pending = 2;
  t.same(counted(busy, 100), [50, 50]);
  const out = weighted([90, 10]);
  out[0]!.ejection.refused(0);
  t.same(counted(out, 5), [0, 5]);
  const full = weighted([90, 10]);
  t.equal(
    chooseEndpoint(full, roomy, [full[0]!], 0, () => 0, true),
    1,
    'one that was tried is passed over',
  );
});

t.test('an endpoint that comes back gets its share of an equal part, as far as it has grown', async () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 8 }),
      fc.integer({ min: 0, max: slowStartMs - 1 }),
      (count, elapsedMs) => {
        const endpoints = endpointsOf(count);
        endpoints[0]!.startSlowly(0);
        const rounds = 2000;
        const counts = shares(endpoints, rounds, () => elapsedMs * 1e3);
        const expected = (Math.max(0.1, elapsedMs / slowStartMs) * rounds) / count;
        return Math.abs(counts[0]! - expected) <= 2;
      },
    ),
  );
});

t.test('under load too it gets no more than that, although it has nothing pending', async (t) => {
  const endpoints = endpointsOf(4);
  for (const endpoint of endpoints.slice(1)) endpoint.pending = 50;
  endpoints[0]!.startSlowly(0);
  const counts = shares(endpoints, 4000, () => 5e6);
  t.ok(Math.abs(counts[0]! - 500) <= 2, `half of a quarter of 4000: ${counts[0]}`);
});

t.test('it gets all of its part once its time is over', async (t) => {
  const endpoints = endpointsOf(2);
  endpoints[0]!.startSlowly(0);
  shares(endpoints, 1, () => slowStartMs * 1e3);
  t.same(
    shares(endpoints, 100, () => slowStartMs * 1e3),
    [50, 50],
  );
});

t.test('alone it gets everything at once', async (t) => {
  const endpoints = endpointsOf(1);
  endpoints[0]!.startSlowly(0);
  t.same(
    shares(endpoints, 10, () => 0),
    [10],
  );
});

t.test(
  'health that returns begins the slow start when the check passed, however late it is seen',
  async (t) => {
    const [one, other] = endpointsOf(2);
    const block = blocks.get(one!)!;
    block.set(Health.UNHEALTHY, 0);
    t.notOk(one!.usable);
    block.set(Health.HEALTHY, 4e6);
    t.ok(one!.usable);
    t.equal(one!.slowStart.share(9e6), 0.5);
    blocks.get(other!)!.set(Health.HEALTHY, 4e6);
    t.ok(other!.usable);
    t.notOk(other!.slowStart.active, 'the first verdict is no return');
  },
);
