import { causeCodes } from '../../../core/endpoint-cause.js';
import { dropReasons, failureReasons } from '../../../core/errors.js';
import { unexaminedReasons } from '../../../core/record/mirror-counters.js';
import { openObserved } from '../../../core/report/observed.js';
import { read } from '../../../core/report/reading.js';
import { stats } from '../../../core/report/stats.js';
import t from '../../support/tap.js';
import { STARTED_US, sample } from './sample.js';

const none = <R extends string>(reasons: readonly R[]) =>
  Object.fromEntries(reasons.map((reason) => [reason, 0]));

const compare = {
  paired: 0,
  equal: 0,
  different: 0,
  statusDifferent: 0,
  sizeDifferent: 0,
  bodyDifferent: 0,
  headerDifferent: 0,
  notComparable: 0,
  lostByEndpoint: 0,
  outcomes: { ok: 0, 'shadow-error': 0, 'primary-error': 0, 'both-errors': 0 },
  sampled: 0,
  examined: 0,
  unexamined: none(unexaminedReasons),
};

t.test('the statistics have exactly the shape and the numbers of the contract', async (t) => {
  const { observed } = sample();
  const body = JSON.parse(JSON.stringify(stats(read(observed, STARTED_US + 12_500_000))));
  t.strictSame(body, {
    generation: 3,
    uptimeS: 12.5,
    engine: 'node',
    threads: { proxy: 2, shadow: 1, restarts: 3 },
    versions: {
      v1: {
        primary: {
          requests: 100,
          responses: { '1xx': 0, '2xx': 98, '3xx': 0, '4xx': 0, '5xx': 1, other: 0 },
          failures: { ...none(failureReasons), reset: 1 },
          endpointFailures: none(causeCodes),
          latencyUs: { count: 98, mean: 2500, p50: 2501, p90: 4503, p99: 4900, p999: 4900, max: 4900 },
          firstByteUs: { count: 98, p50: 1250, p99: 2450 },
          connections: { open: 4, idle: 2 },
          queue: { length: 3, full: 1, timeouts: 1 },
          uploads: { waiting: 2, ended: 1 },
          ejection: { ejected: 1, ejections: 2 },
          grpcMethods: [],
        },
        shadow: null,
        endpoints: [
          {
            endpoint: 'reviews.internal:9080',
            address: '10.0.0.7:9080',
            health: { state: 'healthy', sinceS: 12.5, passed: 3, failed: 0 },
            lastError: null,
          },
          {
            endpoint: 'reviews.internal:9080',
            address: '[fd00::7]:9080',
            health: { state: 'unhealthy', sinceS: 12.5, passed: 0, failed: 1 },
            lastError: null,
          },
          { endpoint: 'unix:/run/v1.sock', address: 'unix:/run/v1.sock', health: null, lastError: null },
        ],
      },
      v2: {
        primary: null,
        shadow: {
          requests: 0,
          responses: { '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0, other: 0 },
          failures: none(failureReasons),
          endpointFailures: none(causeCodes),
          latencyUs: { count: 0, mean: 0, p50: 0, p90: 0, p99: 0, p999: 0, max: 0 },
          firstByteUs: { count: 0, p50: 0, p99: 0 },
          connections: { open: 0, idle: 0 },
          queue: { length: 0, full: 0, timeouts: 0 },
          uploads: { waiting: 0, ended: 0 },
          ejection: { ejected: 0, ejections: 0 },
          grpcMethods: [],
        },
        endpoints: [],
      },
    },
    mirrors: [
      {
        route: 'reviews',
        to: 'v2',
        enabled: true,
        percent: 25,
        heldBackPercent: 0,
        eligible: 4,
        sent: 3,
        dropped: { ...none(dropReasons), 'ring-full': 1 },
        completed: 1,
        failed: { ...none(failureReasons), timeout: 1 },
        inFlight: 1,
        waiting: 0,
        breaker: { open: 0, opened: 0 },
        heldBytes: 0,
        queueUs: { p50: 100, p99: 100 },
        pairedDeltaUs: { count: 1, p50: -40, p99: -40 },
        baselineOf: null,
        sink: false,
        verdict: null,
        kept: null,
        compare: { ...compare, paired: 1, different: 1, statusDifferent: 1 },
      },
      {
        route: 'gone',
        to: 'v2',
        enabled: false,
        percent: 0,
        heldBackPercent: 0,
        eligible: 0,
        sent: 0,
        dropped: none(dropReasons),
        completed: 0,
        failed: none(failureReasons),
        inFlight: 0,
        waiting: 0,
        breaker: { open: 0, opened: 0 },
        heldBytes: 0,
        queueUs: { p50: 0, p99: 0 },
        pairedDeltaUs: { count: 0, p50: 0, p99: 0 },
        baselineOf: null,
        sink: false,
        verdict: null,
        kept: null,
        compare,
      },
    ],
    dns: [{ name: 'reviews.internal', addresses: 2, lookups: 2, failures: 1 }],
    fleet: { publishing: null, plan: null },
  });
});

t.test('a version may have any name', async (t) => {
  const { blocks } = sample();
  const versions = [{ ...blocks.versions[0], name: '__proto__' }];
  const body = JSON.stringify(
    stats(
      read(
        openObserved({ ...blocks, versions }, () => 0),
        STARTED_US,
      ),
    ),
  );
  t.match(body, '"versions":{"__proto__":{"primary":{"requests":100');
});

t.test('the blocks open on another thread as they are', async (t) => {
  const { blocks } = sample();
  const body = stats(
    read(
      openObserved(structuredClone(blocks), () => 0),
      STARTED_US,
    ),
  );
  t.strictSame(
    body,
    stats(
      read(
        openObserved(blocks, () => 0),
        STARTED_US,
      ),
    ),
  );
});
