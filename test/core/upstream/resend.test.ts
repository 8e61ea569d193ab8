import fc from 'fast-check';
import { Failure } from '../../../core/errors.js';
import { Resends } from '../../../core/upstream/resend.js';
import { RetryPolicy } from '../../../core/upstream/retry-policy.js';
import t from '../../support/tap.js';
import { TestPool } from './exchange.js';

function policyOf(attempts: number): RetryPolicy {
  return new RetryPolicy({ attempts, perTryTimeoutMs: 0, on: ['5xx'] });
}

t.test(
  'without retries an idempotent request follows a lost idle connection once, whatever its attempts',
  async (t) => {
    const resends = new Resends();
    resends.begin('GET', null);
    t.ok(resends.afterLostIdle());
    resends.beginAttempt();
    t.notOk(resends.afterLostIdle());
    t.notOk(resends.afterFailure(Failure.RESET, false));
    t.notOk(resends.afterStatus(503));
  },
);

t.test('a connection that was not made costs no attempt, and each endpoint is tried once', async (t) => {
  const { endpoints } = new TestPool([1, 2, 3]);
  const resends = new Resends();
  resends.begin('POST', policyOf(1));
  t.ok(resends.afterNoConnection(endpoints[0]!, endpoints, Failure.CONNECT));
  t.ok(resends.afterNoConnection(endpoints[1]!, endpoints, Failure.CONNECT));
  t.notOk(resends.afterNoConnection(endpoints[2]!, endpoints, Failure.CONNECT));
  t.ok(resends.afterFailure(Failure.CONNECT, false), 'the attempt is left');
  t.notOk(resends.exhausted);
});

t.test('without resources of its own umbra tries no other endpoint', async (t) => {
  const { endpoints } = new TestPool([1, 2]);
  const resends = new Resends();
  resends.begin('GET', null);
  t.notOk(resends.afterNoConnection(endpoints[0]!, endpoints, Failure.OUT_OF_RESOURCES));
});

t.test('whatever happens, a request is sent no more often than its route says', async () => {
  const event = fc.constantFrom('lost idle', 'failure', 'status', 'attempt');
  const method = fc.constantFrom('GET', 'PUT', 'POST');
  fc.assert(
    fc.property(method, fc.integer({ min: 1, max: 5 }), fc.array(event), (method, attempts, events) => {
      const resends = new Resends();
      resends.begin(method, policyOf(attempts));
      let again = 0;
      for (const event of events) {
        if (event === 'attempt') resends.beginAttempt();
        else if (event === 'lost idle') again += resends.afterLostIdle() ? 1 : 0;
        else if (event === 'failure') again += resends.afterFailure(Failure.RESET, false) ? 1 : 0;
        else again += resends.afterStatus(500) ? 1 : 0;
      }
      return again <= attempts;
    }),
  );
});
