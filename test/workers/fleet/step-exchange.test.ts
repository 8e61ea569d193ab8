import type { KV } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';
import type { StepReport } from '../../../core/rollout/member-report.js';
import { noSide } from '../../../core/rollout/release-counts.js';
import { evidenceKey, type RolloutRecord } from '../../../core/rollout/rollout-record.js';
import { shownRollout } from '../../../core/rollout/shown-rollout.js';
import { StepExchange } from '../../../workers/fleet/step-exchange.js';
import { begunRollout } from '../../core/rollout/begun.js';
import { noNats, startBucket } from '../../support/nats.js';
import t from '../../support/tap.js';

const record: RolloutRecord = { ...begunRollout(), revision: 3 };
const none = { releases: [], pairs: [], baseline: [], diffs: null };
const nothing = { outcome: 'undecided', checks: [], requests: 0, seconds: 0, example: null } as const;

/** An instance that has taken the record, and looks when the test says so. */
class Instance {
  readonly exchange: StepExchange;
  leads: boolean;
  aheadMs = 0;
  differs: string | null = null;

  constructor(name: string, bucket: KV, connection: NatsConnection, leads = false) {
    this.leads = leads;
    const instance = this;
    this.exchange = new StepExchange({
      planKey: 'edge',
      bucketName: 'plans',
      id: `id-${name}`,
      name,
      link: { bucket: async () => bucket, connection },
      leadership: {
        get isLeader() {
          return instance.leads;
        },
        leader: null,
        onChange: () => () => {},
      },
      home: {
        isActive: true,
        isWaiting: true,
        reports: () => [this.#report()],
        shown: () => {
          const standing = this.exchange.standing(record);
          return standing === null ? [] : [shownRollout(record, nothing, standing, name)];
        },
      },
      log: { info() {}, warn() {} },
      nowMs: () => performance.now() + this.aheadMs,
      tickMs: 60_000,
    });
  }

  look(): Promise<void> {
    this.aheadMs += 1000;
    return this.exchange.tick();
  }

  #report(): StepReport {
    const { route, id, step, state } = record;
    const about = { route, id, revision: 3, step, state, differs: this.differs, key: evidenceKey(record) };
    return { ...about, seconds: { old: noSide, fresh: noSide }, evidence: none };
  }
}

t.test('instances report to the leader, and read what it says of all', { skip: noNats }, async (t) => {
  const { connection, bucket } = await startBucket(t);
  const a = new Instance('a', bucket, connection, true);
  const b = new Instance('b', bucket, connection);
  t.equal(a.exchange.standing(record), null, 'nothing is known before the bucket was read');
  await b.look();
  await a.look();
  t.match(a.exchange.standing(record), { behind: [], absent: null, members: [{ name: 'b' }] });
  await b.look();
  t.match(b.exchange.shown(record), {
    waits: '',
    members: [
      { name: 'a', presence: 'live', step: 1 },
      { name: 'b', presence: 'live', step: 1 },
    ],
  });
  t.equal(b.exchange.shown({ ...record, revision: 4 }), null, 'of another state nothing was said');

  b.differs = 'the configuration has no version v2 any more';
  b.exchange.soon();
  await b.exchange.tick();
  await bucket.put('edge.rollout.id-c', 'no report');
  await a.look();
  t.strictSame(a.exchange.standing(record)?.behind, [
    'b can not take it: the configuration has no version v2 any more',
    'id-c sends a report that this release can not read',
  ]);
  t.equal(a.exchange.counts.unreadable, 1);

  await b.exchange.stop();
  await a.look();
  t.match(a.exchange.standing(record)?.members, [{ name: 'b', presence: 'left' }, { name: 'id-c' }]);
  a.aheadMs += 10_000;
  await a.look();
  t.not(await bucket.get('edge.rollout.id-b'), null, 'what it counted in this step is still needed');
  await a.exchange.stop();
  t.match(a.exchange.counts, { failed: 0, tooLarge: 0 });
});
