/**
 * A plan of one mirror to one version, and its pool: what commands send requests through that are an umbra of
 * their own.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { compilePlan } from '../../config/compile.js';
import { formatProblem, loadConfig } from '../../config/load.js';
import { MirrorSlots } from '../../config/slots.js';
import { nowUs } from '../../core/clock.js';
import type { ComparePlan, Plan, VersionPlan } from '../../core/plan.js';
import { VersionPool } from '../../core/upstream/pool.js';
import { noCounters, UpstreamResources } from '../../core/upstream/resources.js';
import { type Target, targetsAsWritten } from '../../core/upstream/target.js';
import type { CompareRules } from './compare-rules.js';

/** A server as a version. Throws an Error with what is wrong with its address. */
export function serverAsVersion(
  name: string,
  url: string,
  connections: number,
  queue: number,
  timeoutMs: number,
): VersionPlan {
  const plan = planFrom({
    versions: {
      primary: { endpoints: ['http://127.0.0.1:1'] },
      [name]: {
        endpoints: [url],
        connections: { max: connections, queue: { max: queue, timeout: `${timeoutMs}ms` } },
        ejection: 'off',
      },
    },
    routes: [{ primary: 'primary', mirrors: [{ to: name }] }],
  });
  return plan.versions[1];
}

/**
 * `primary`: what the requests come from, in the place of a primary. `ignore`: rules by which contents of
 * responses are compared, as a configuration has them, beside `rules`. Throws an Error with what is wrong
 * with them.
 */
export function oneMirror(
  route: string,
  primary: string,
  to: VersionPlan,
  ignore: readonly string[] = [],
  rules: CompareRules | null = null,
): Plan {
  const plan = planFrom({
    versions: { [primary]: 'http://127.0.0.1:1', [to.name]: 'http://127.0.0.1:2' },
    routes: [{ name: route, primary, mirrors: [{ to: to.name, compare: { sample: '100%', ignore } }] }],
  });
  const versions = [plan.versions[0], to];
  if (rules === null) return { ...plan, versions };
  const [own] = plan.routes;
  const compare = withIgnored(rules.compare, own.mirrors[0].compare);
  const routes = [{ ...own, mirrors: [{ ...own.mirrors[0], compare }] }];
  return { ...plan, versions, routes, redact: rules.redact };
}

function withIgnored(compare: ComparePlan, { structure: more }: ComparePlan): ComparePlan {
  const structure = {
    ...compare.structure!,
    ignoreHeaders: [...compare.structure!.ignoreHeaders, ...more!.ignoreHeaders],
    ignorePaths: [...compare.structure!.ignorePaths, ...more!.ignorePaths],
  };
  return { ...compare, structure };
}

export function openPool(version: VersionPlan, targets: readonly Target[]): VersionPool {
  return new VersionPool(version, new UpstreamResources(nowUs, noCounters), targets);
}

/** All addresses of the endpoints; they are not looked up again. */
export async function targetsOf(version: VersionPlan): Promise<readonly Target[]> {
  const targets = targetsAsWritten(version).map(async (written): Promise<Target[]> => {
    const { address } = written;
    if (address.kind === 'unix' || isIP(address.host) !== 0) return [written];
    const found = await lookup(address.host, { all: true });
    return found.map(({ address: host }) => ({ ...written, address: { ...address, host } }));
  });
  return (await Promise.all(targets)).flat();
}

function planFrom(words: object): Plan {
  const loaded = loadConfig(JSON.stringify(words), 'umbra');
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  return compilePlan(loaded.config, 1, new MirrorSlots(), 1);
}
