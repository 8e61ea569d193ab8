import { type ClientIdentity, noOrder, OrderKey } from '../../../core/mirror/order-key.js';
import type { OrderPlan } from '../../../core/plan.js';
import t from '../../support/tap.js';
import { request } from '../route/support.js';

const client = (address: string, connection: number): ClientIdentity => ({
  clientAddress: () => address,
  connectionKey: () => connection,
});
const one = client('10.0.0.1', 1);
const keyOf = (plan: Partial<OrderPlan>, fields: string, from = one): number =>
  new OrderKey({ by: 'header', name: '', target: 5, ...plan }).of(request({ fields }), from);

t.test('requests with one header value have one key, and those without it are in no order', async (t) => {
  const user = { by: 'header', name: 'x-user' } as const;
  t.equal(keyOf(user, 'x-user: ada\r\n'), keyOf(user, 'accept: */*\r\nX-User:   ada \r\n'));
  t.not(keyOf(user, 'x-user: ada\r\n'), keyOf(user, 'x-user: bob\r\n'));
  t.equal(keyOf(user, 'x-user: \r\n'), noOrder);
  t.equal(keyOf(user, 'x-users: ada\r\n'), noOrder);
});

t.test('a cookie is a key by its own value', async (t) => {
  const session = { by: 'cookie', name: 'session' } as const;
  t.equal(keyOf(session, 'cookie: a=1; session=s1\r\n'), keyOf(session, 'Cookie: session=s1; b=2\r\n'));
  t.not(keyOf(session, 'cookie: session=s1\r\n'), keyOf(session, 'cookie: session=s2\r\n'));
  t.equal(keyOf(session, 'cookie: a=1\r\n'), noOrder);
});

t.test('a client is its address, and a connection its number where the engine gives one', async (t) => {
  const byClient = { by: 'client' } as const;
  t.equal(keyOf(byClient, '', client('10.0.0.1', 1)), keyOf(byClient, '', client('10.0.0.1', 2)));
  t.not(keyOf(byClient, '', client('10.0.0.1', 1)), keyOf(byClient, '', client('10.0.0.2', 1)));
  t.equal(keyOf(byClient, '', client('', 1)), noOrder, 'a unix socket has no address');
  const byConnection = { by: 'connection' } as const;
  t.not(keyOf(byConnection, '', client('10.0.0.1', 1)), keyOf(byConnection, '', client('10.0.0.1', 2)));
  t.equal(keyOf(byConnection, '', client('10.0.0.1', 0)), keyOf(byClient, '', client('10.0.0.1', 0)));
});

t.test('mirrors to two targets have queues of their own', async (t) => {
  const user = { by: 'header', name: 'x-user' } as const;
  t.not(keyOf({ ...user, target: 1 }, 'x-user: ada\r\n'), keyOf({ ...user, target: 2 }, 'x-user: ada\r\n'));
});
