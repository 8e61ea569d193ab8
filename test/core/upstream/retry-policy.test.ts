import { Failure, failures } from '../../../core/errors.js';
import { GrpcStatus, grpcStatusNames } from '../../../core/grpc/grpc-status.js';
import type { RetryCondition } from '../../../core/plan.js';
import { RetryPolicy } from '../../../core/upstream/retry-policy.js';
import t from '../../support/tap.js';

const policy = (...on: RetryCondition[]) => new RetryPolicy({ attempts: 1, perTryTimeoutMs: 0, on });
/** The failures that are tried again, with a timeout of the attempt alone and with one of the whole. */
const taken = (one: RetryPolicy) =>
  failures.flatMap(({ code }, failure) =>
    [true, false]
      .filter((tryIsOver) => one.takesFailure(failure as Failure, tryIsOver))
      .map((tryIsOver) => (failure === Failure.TIMEOUT ? `${code} ${tryIsOver}` : code)),
  );
const unanswered = [
  'connect',
  'connect',
  'tls',
  'tls',
  'timeout true',
  'reset',
  'reset',
  'protocol',
  'protocol',
];

t.test(
  'each condition takes the failures that Envoy takes by it, and none that are no doing of the primary',
  async (t) => {
    t.strictSame(taken(policy('connect')), ['connect', 'connect', 'tls', 'tls']);
    for (const word of ['reset', '5xx', 'gateway-error'] as const)
      t.strictSame(taken(policy(word)), unanswered, word);
    t.strictSame(taken(policy('retriable-4xx', 503)), []);
  },
);

t.test('each condition takes its statuses', async (t) => {
  const statuses = (one: RetryPolicy) =>
    [200, 404, 409, 429, 500, 502, 503, 504, 599].filter((s) => one.takesStatus(s, GrpcStatus.NONE));
  t.strictSame(statuses(policy('connect', 'reset')), []);
  t.strictSame(statuses(policy('5xx')), [500, 502, 503, 504, 599]);
  t.strictSame(statuses(policy('gateway-error')), [502, 503, 504]);
  t.strictSame(statuses(policy('retriable-4xx', 429)), [409, 429]);
  const grpc = (one: RetryPolicy) =>
    grpcStatusNames.filter((name) => one.takesStatus(200, GrpcStatus[name])).map((name) => GrpcStatus[name]);
  t.strictSame(grpc(policy('5xx', 'gateway-error', 503)), [], 'conditions of HTTP are none of gRPC');
  t.strictSame(grpc(policy('unavailable', 'internal')), [13, 14]);
  t.strictSame(grpc(policy('cancelled', 'deadline-exceeded', 'resource-exhausted')), [1, 4, 8]);
});

t.test('the wait before a retry doubles up to a bound', async (t) => {
  t.strictSame(
    [1, 2, 3, 4, 5, 16].map((attempt) => policy('connect').backOffMs(attempt)),
    [25, 50, 100, 200, 250, 250],
  );
});
