import {
  formatFleetAddress,
  formatPlanAddress,
  parseFleetAddress,
  parsePlanAddress,
} from '../../config/nats-address.js';
import { Refusal } from '../../config/units.js';
import t from '../support/tap.js';

const plain = { servers: ['10.0.0.5:4222'], secure: false, user: null, password: null };

t.test('an address of a fleet names servers, credentials and a bucket', async (t) => {
  t.same(parseFleetAddress('nats://10.0.0.5'), { nats: plain, bucket: 'umbra' });
  t.same(parseFleetAddress('nats://10.0.0.5:4222/'), { nats: plain, bucket: 'umbra' });
  t.same(parseFleetAddress('tls://me:a%40b%3Ac@a.example:4223,[::1]/reviews'), {
    nats: { servers: ['a.example:4223', '[::1]:4222'], secure: true, user: 'me', password: 'a@b:c' },
    bucket: 'reviews',
  });
  t.same(parseFleetAddress('nats://s3cret@10.0.0.5/x'), {
    nats: { ...plain, user: 's3cret', password: null },
    bucket: 'x',
  });
});

t.test('an address of a plan names a bucket and a key, which may have slashes and dots', async (t) => {
  t.same(parsePlanAddress('nats-kv://10.0.0.5/plans/eu/edge.main'), {
    nats: plain,
    bucket: 'plans',
    key: 'eu/edge.main',
  });
  t.match(parsePlanAddress('nats-kv+tls://10.0.0.5/plans/edge'), { nats: { secure: true } });
});

t.test('what is no such address is refused with an example', async (t) => {
  for (const wrong of [
    '',
    'nats://',
    'http://10.0.0.5/umbra',
    'nats://10.0.0.5:0/umbra',
    'nats://10.0.0.5:65536/umbra',
    'nats://10.0.0.5,/umbra',
    'nats://@10.0.0.5/umbra',
    'nats://10.0.0.5/a/b',
    'nats://10.0.0.5/a b',
    'nats-kv://10.0.0.5/plans/edge',
  ]) {
    t.match(parseFleetAddress(wrong), { reason: /such as nats:\/\// }, wrong);
  }
  for (const wrong of [
    'nats-kv://10.0.0.5',
    'nats-kv://10.0.0.5/plans',
    'nats-kv://10.0.0.5/plans/',
    'nats-kv://10.0.0.5/plans/a..b',
    'nats-kv://10.0.0.5/plans/>',
    'nats-kv://10.0.0.5/p.q/edge',
    'nats://10.0.0.5/plans/edge',
  ]) {
    t.ok(parsePlanAddress(wrong) instanceof Refusal, wrong);
  }
});

t.test('what is shown of an address holds no credentials', async (t) => {
  const fleet = parseFleetAddress('tls://me:hidden@a,b:4223/x');
  if (fleet instanceof Refusal) return t.fail('a right address');
  t.equal(formatFleetAddress(fleet), 'tls://[redacted]@a:4222,b:4223/x');
  const plan = parsePlanAddress('nats-kv+tls://me:hidden@a/x/y');
  if (plan instanceof Refusal) return t.fail('a right address');
  t.equal(formatPlanAddress(plan), 'nats-kv+tls://a:4222/x/y');
});
