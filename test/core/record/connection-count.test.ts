import {
  ConnectionCount,
  closeToConnections,
  createConnectionCounts,
} from '../../../core/record/connection-count.js';
import t from '../../support/tap.js';

t.test('threads share one bound, and what a dead thread held is given back', async (t) => {
  const shared = createConnectionCounts(2, 2);
  const first = new ConnectionCount(shared, 1, 0, 2);
  const second = new ConnectionCount(shared, 1, 1, 2);
  t.equal(first.open(3), true);
  t.equal(second.open(3), true);
  t.equal(second.open(3), true);
  t.equal(first.open(3), false);
  t.equal(second.open(3), false);
  t.equal(first.total, 3);
  second.close();
  t.equal(first.open(3), true);
  first.settle();
  t.equal(second.total, 1);
  t.equal(new ConnectionCount(shared, 0, 0, 2).total, 0, 'another listener has its own');
});

t.test('while it is closed, no listener counts a connection', async (t) => {
  const shared = createConnectionCounts(2, 2);
  const counts = [new ConnectionCount(shared, 0, 0, 2), new ConnectionCount(shared, 1, 1, 2)];
  closeToConnections(shared, true);
  for (const count of counts) t.strictSame([count.open(9), count.total], [false, 0]);
  closeToConnections(shared, false);
  for (const count of counts) t.strictSame([count.open(9), count.total], [true, 1]);
});
