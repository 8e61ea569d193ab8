/** Two versions, clients with keys that never stop asking, and a rollout between the versions. */
import { Agent } from 'node:http';
import { ask } from './client.js';
import { type Answer, Origin } from './origin.js';
import type { Test } from './tap.js';
import { type ConfigWords, reviews, type UmbraProcess, until } from './umbra.js';

/**
 * Latencies are noise on a machine that runs other tests. The bounds are as wide as shares are that versions
 * of these tests do wrong: a step needs the more requests the narrower they are.
 */
export const rolloutSettings = {
  steps: 'mirror:500ms-60s,25%:500ms-60s,50%:500ms-60s,100%',
  requests: 50,
  maxShift: 'off',
  maxP99Delta: 'off',
  maxErrorDelta: '5%',
  maxDiff: '5%',
  watch: '500ms',
};

export interface RolloutSeen {
  readonly state: string;
  readonly step: number;
  readonly percent: number;
  readonly reason: string;
  readonly example: string;
  readonly history: readonly { readonly state: string; readonly by: string; readonly at: string }[];
}

/** Answers alike, and says which version it is in a field that is not compared. */
export function versionAnswer(name: string, failsEvery = 0): Answer {
  let count = 0;
  return (_received, response) => {
    response.setHeader('x-version', name);
    if (failsEvery > 0 && ++count % failsEvery === 0) response.statusCode = 500;
    response.end('{"of":"reviews"}');
  };
}

export async function twoVersions(t: Test, v2: Answer = versionAnswer('v2')): Promise<[Origin, Origin]> {
  const both = await Promise.all([Origin.listen(versionAnswer('v1')), Origin.listen(v2)]);
  t.teardown(() => Promise.all(both.map((origin) => origin.close().catch(() => {}))));
  return both as [Origin, Origin];
}

export function rolloutConfig([v1, v2]: readonly Origin[], changes: object = {}): ConfigWords {
  // A thread that gets no core for a second is not a fault of a version.
  const patient = { connections: { connectTimeout: '10s' } };
  return reviews(v1.port, v2.port, {
    v1: patient,
    v2: patient,
    route: { split: 'cookie:id', timeout: '20s' },
    mirror: { enabled: false, compare: { sample: '100%', ignore: ['header:x-version'] } },
    umbra: { drain: '5s', ...changes },
  });
}

const workers = 4;

/**
 * Clients with a key each: what was not answered with 200, and keys that went back. `rest` lets none ask
 * meanwhile. Each waits for `pauseMs` after an answer: clients that ask without a pause leave a busy machine
 * no time.
 */
export function keyedClients(port: () => number, pauseMs = 10) {
  const agent = new Agent({ keepAlive: true, maxSockets: workers });
  const failures: unknown[] = [];
  const wentBack = new Set<number>();
  const lastOf = new Map<number, string>();
  let asked = 0;
  let over = false;
  let rested: Promise<void> | null = null;
  let busy = 0;
  const worker = async (): Promise<void> => {
    while (!over) {
      await rested;
      busy++;
      const key = asked++ % 400;
      try {
        const { status, fields } = await ask(port(), {
          target: '/reviews',
          agent,
          headers: { cookie: `id=${key}` },
        });
        const name = fields.find(([field]) => field === 'x-version')?.[1] ?? '';
        if (status !== 200) failures.push(status);
        if (lastOf.get(key) === 'v2' && name === 'v1') wentBack.add(key);
        lastOf.set(key, name);
      } catch (error) {
        failures.push(String(error));
      }
      busy--;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  };
  const all = Array.from({ length: workers }, worker);
  return {
    failures,
    wentBack,
    get asked() {
      return asked;
    },
    async rest(during: () => Promise<void>) {
      let resume = () => {};
      rested = new Promise((resolve) => {
        resume = resolve;
      });
      await until(() => busy === 0, 'all are answered');
      await during().finally(resume);
      rested = null;
    },
    async end() {
      over = true;
      await Promise.all(all);
      agent.destroy();
    },
  };
}

export async function rolloutStatus(umbra: UmbraProcess): Promise<RolloutSeen> {
  return (await umbra.admin('GET', '/api/rollouts/reviews')).json as RolloutSeen;
}

/** Resolves when the rollout is as `holds` says. */
export async function untilRollout(
  umbra: UmbraProcess,
  holds: (body: RolloutSeen) => boolean,
  withinMs = 60_000,
): Promise<RolloutSeen> {
  const endMs = performance.now() + withinMs;
  for (;;) {
    const body = await rolloutStatus(umbra).catch(() => null);
    if (body !== null && holds(body)) return body;
    if (performance.now() > endMs) throw new Error(`not in time: ${JSON.stringify(body)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export const isRolloutOver = ({ state }: RolloutSeen): boolean =>
  state === 'released' || state === 'rolled-back';

export async function startRollout(t: Test, umbra: UmbraProcess, changes: object = {}): Promise<void> {
  const answer = await umbra.admin('POST', '/api/rollouts', {
    route: 'reviews',
    to: 'v2',
    ...rolloutSettings,
    ...changes,
  });
  t.equal(answer.status, 201, JSON.stringify(answer.json));
}
