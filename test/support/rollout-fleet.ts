/** Two instances of umbra that follow one plan in NATS, each with clients that never stop asking. */
import { Kvm } from '@nats-io/kv';
import type { RolloutBody } from '../../workers/admin/rollout-body.js';
import { lawHolds } from './law.js';
import { NatsServer } from './nats.js';
import { keyedClients, rolloutConfig, rolloutSettings, twoVersions } from './rollout.js';
import type { Test } from './tap.js';
import { UmbraProcess, until } from './umbra.js';

/** Long enough that a step is still in force when the test interferes. */
const settings = { ...rolloutSettings, steps: 'mirror:2s-90s,50%:2s-90s,100%', watch: '2s' };
/** A client waits so long after an answer, because two instances serve them for half a minute. */
const pauseMs = 40;
export const places = ['running 1', 'running 2', 'watching 3'];

export class Instance {
  umbra!: UmbraProcess;
  users!: ReturnType<typeof keyedClients>;
  readonly wentBack = new Set<number>();

  private constructor(
    readonly name: string,
    readonly address: string,
  ) {}

  static async start(name: string, address: string): Promise<Instance> {
    const instance = new Instance(name, address);
    await instance.begin();
    return instance;
  }

  async begin(): Promise<void> {
    process.env.INSTANCE = this.name;
    this.umbra = await UmbraProcess.startFrom(this.address);
    const { port } = this.umbra;
    this.users = keyedClients(() => port, pauseMs);
  }

  /** Its clients see the connection end, as those of any process that is killed, and no wrong answer. */
  async kill(t: Test): Promise<void> {
    this.umbra.signal('SIGKILL');
    await this.umbra.ended;
    await this.users.end();
    t.strictSame(
      this.users.failures.filter((failure) => typeof failure === 'number'),
      [],
    );
    t.equal(this.users.wentBack.size, 0);
    await this.begin();
  }

  async rollout(): Promise<RolloutBody> {
    return (await this.umbra.admin('GET', '/api/rollouts/reviews')).json as RolloutBody;
  }

  async end(t: Test): Promise<void> {
    await this.users.end();
    t.strictSame(this.users.failures, [], `clients of ${this.name}`);
    t.equal(this.users.wentBack.size, 0, 'no key went back');
    await lawHolds(t, this.umbra);
    await this.umbra.stop();
  }
}

export async function startFleet(t: Test) {
  const nats = await NatsServer.start();
  const both = await twoVersions(t);
  const connection = await nats.connect();
  const plans = await new Kvm(connection).create('plans');
  // Each instance reads its own name.
  const name = ['$', '{INSTANCE}'].join('');
  const fleet = { nats: nats.fleet('umbra'), name };
  await plans.put('edge', JSON.stringify(rolloutConfig(both, { fleet, threads: { proxy: 1, shadow: 1 } })));
  await connection.close();
  const address = `nats-kv://127.0.0.1:${nats.port}/plans/edge`;
  const a = await Instance.start('edge-a', address);
  const b = await Instance.start('edge-b', address);
  t.teardown(() => Promise.all([a, b].map(({ umbra }) => umbra.stop())));
  t.teardown(() => nats.stop());
  await Promise.all([a, b].map(({ umbra }) => untilLed(umbra)));
  return { nats, both, a, b };
}

export async function leaderOf(umbra: UmbraProcess): Promise<string | null> {
  const { json } = await umbra.admin('GET', '/api/status');
  return (json as { fleet: { leader: string | null } }).fleet.leader;
}

export async function untilLed(umbra: UmbraProcess): Promise<string> {
  return until(() => leaderOf(umbra), 'an instance leads');
}

/** The weights in force. */
export async function primaryOf(umbra: UmbraProcess): Promise<unknown> {
  const { json } = await umbra.admin('GET', '/api/config');
  return (json as { routes: { primary: unknown }[] }).routes[0].primary;
}

export async function untilAll(
  all: readonly Instance[],
  what: string,
  holds: (body: RolloutBody) => boolean,
) {
  let seen: RolloutBody[] = [];
  const endMs = performance.now() + 40_000;
  while (performance.now() < endMs) {
    seen = await Promise.all(all.map((one) => one.rollout()));
    if (seen.every(holds)) return seen;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`timed out waiting until ${what}: ${JSON.stringify(seen)}`);
}

export const placeOf = ({ state, step }: RolloutBody): string => `${state} ${step}`;
export const words = ({ history }: RolloutBody): string[] =>
  history.map(({ state, step, by }) => `${state} ${step} ${by}`);
export const releasedWords = ['running 1 user', 'running 2 verdict', 'watching 3 verdict', 'released 3 time'];

export async function startAt({ umbra }: Instance, t: Test, changes: object = {}): Promise<void> {
  const body = { route: 'reviews', to: 'v2', ...settings, ...changes };
  const answer = await umbra.admin('POST', '/api/rollouts', body);
  t.equal(answer.status, 201, JSON.stringify(answer.json));
}
