import type { KV } from '@nats-io/kv';
import { Lease } from '../../../workers/fleet/lease.js';
import { noNats, startBucket } from '../../support/nats.js';
import t from '../../support/tap.js';
import { until } from '../../support/umbra.js';

const leaseMs = 1000;
const log = { info() {}, warn() {} };

/** An instance, whose way to the bucket can be cut, and its clock moved. */
class Instance {
  isCut = false;
  aheadMs = 0;
  readonly told: boolean[] = [];
  readonly lease: Lease;

  constructor(name: string, bucket: KV) {
    this.lease = new Lease({
      key: 'edge.leader',
      id: `id of ${name}`,
      name,
      bucket: async () => (this.isCut ? null : bucket),
      log,
      nowMs: () => performance.now() + this.aheadMs,
      leaseMs,
    });
    this.lease.onChange((leads) => this.told.push(leads));
  }
}

t.test('one instance leads, and another when it is gone, cut off or stalled', { skip: noNats }, async (t) => {
  const { bucket } = await startBucket(t);
  const [a, b] = [new Instance('a', bucket), new Instance('b', bucket)];
  t.teardown(() => Promise.all([a.lease.stop(), b.lease.stop()]));
  const leaders = () => [a, b].filter(({ lease }) => lease.isLeader);
  let most = 0;
  const watch = setInterval(() => {
    most = Math.max(most, leaders().length);
  }, 1);
  t.teardown(() => clearInterval(watch));
  await until(() => leaders().length === 1, 'one leads');
  const [first] = leaders();
  const second = first === a ? b : a;
  await until(() => second.lease.leader === (first === a ? 'a' : 'b'), 'the other one knows it');

  first.isCut = true;
  await until(() => !first.lease.isLeader, 'it stops without its bucket');
  t.equal(second.lease.isLeader, false, 'before the other one begins');
  await until(() => second.lease.isLeader, 'the other one leads');
  t.strictSame([first.told, second.told], [[true, false], [true]]);

  first.isCut = false;
  await first.lease.tick();
  t.equal(first.lease.isLeader, false, 'it does not take the lease back');

  // As after a pause of the whole process: its time is over before it can know.
  second.aheadMs += leaseMs;
  t.equal(second.lease.isLeader, false);
  await second.lease.tick();
  t.equal(second.lease.isLeader, true, 'nobody has taken it meanwhile');

  await second.lease.stop();
  await first.lease.tick();
  t.equal(first.lease.isLeader, true, 'what is given up is free at once');
  t.equal(most, 1, 'never two at a time');
});
