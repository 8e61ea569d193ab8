/**
 * What pipelining saves towards a shadow that allows it: the CPU of this process per bodyless request, sent
 * in batches as a shadow thread gets them from its rings; over a connection each, and behind each other on
 * one. The origin is another process.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { nowUs } from '../../core/clock.js';
import type { VersionPlan } from '../../core/plan.js';
import { PipelinedCall } from '../../core/upstream/pipelined-call.js';
import { VersionPool } from '../../core/upstream/pool.js';
import { noCounters, UpstreamResources } from '../../core/upstream/resources.js';
import type { ResponseSink } from '../../core/upstream/response-sink.js';
import { UpstreamCall } from '../../core/upstream/upstream-call.js';
import { requestOf } from '../../test/support/request.js';
import { browserFields } from './request-fields.js';

const batches = [1, 4, 16];
const rounds = 5;
const requestsPerRound = 32_000;
const depth = 16;
const timeoutMs = 5000;
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];

const fields = browserFields('x-umbra-mirror: 1');

const request = requestOf({
  target: '/reviews/7?page=2',
  host: 'reviews-shadow',
  fields,
  totalMs: timeoutMs,
});

/** Sends `count` requests, `batch` at a time; resolves when the last response is whole. */
type Side = (count: number, batch: number) => Promise<void>;
const nothing = (): void => {};

/** Sends one request whose events go to `sink`; made once for each place in a batch. */
type Sender = (sink: ResponseSink) => () => void;

function poolTo(port: number): VersionPool {
  const endpoint = {
    address: { kind: 'tcp', host: '127.0.0.1', port },
    authority: `127.0.0.1:${port}`,
    secure: false,
    weight: 1,
  } as const;
  const plan: VersionPlan = {
    name: 'v2',
    protocol: 'http1',
    streamsMax: 1,
    endpoints: [endpoint],
    connectionsMax: 256,
    idleMs: 60_000,
    connectTimeoutMs: 1000,
    queueMax: 1024,
    queueTimeoutMs: 5000,
    dnsRefreshMs: 10_000,
    health: null,
    ejection: { failures: 5, errors: 0, baseTimeMs: 1000, maxTimeMs: 30_000, maxShareMillionths: 500_000 },
    slowStartMs: 10_000,
    tls: null,
  };
  return new VersionPool(plan, new UpstreamResources(nowUs, noCounters));
}

function sideOf(sender: Sender): Side {
  return (count, batch) =>
    new Promise((resolve, reject) => {
      let left = count;
      let open = 0;
      const next = (): void => {
        if (left <= 0) {
          resolve();
          return;
        }
        left -= batch;
        open = batch;
        for (const send of sends) send();
      };
      const sink: ResponseSink = {
        batch: (run) => run(),
        onInterim: nothing,
        onHead: nothing,
        onResponseBody: nothing,
        onResponseTrailers: nothing,
        onSwitch: nothing,
        onDrain: nothing,
        onSent: nothing,
        onFailure: () => reject(new Error('a request failed')),
        onEnd: () => {
          if (--open === 0) setImmediate(next);
        },
      };
      const sends = Array.from({ length: batch }, () => sender(sink));
      next();
    });
}

function overConnections(pool: VersionPool): Sender {
  return (sink) => {
    const call = new UpstreamCall(sink);
    return () => call.start(pool, request);
  };
}

function pipelined(pool: VersionPool): Sender {
  return (sink) => {
    const call = new PipelinedCall(sink);
    call.depth = depth;
    return () => call.start(pool, request);
  };
}

async function cpuUs(side: Side, batch: number): Promise<number> {
  const before = process.cpuUsage();
  await side(requestsPerRound, batch);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / requestsPerRound;
}

const origin = fork(fileURLToPath(new URL('../end-to-end/origin.js', import.meta.url)));
const [{ port }] = (await once(origin, 'message')) as [{ port: number }];
const sides = {
  'a connection each': sideOf(overConnections(poolTo(port))),
  pipelined: sideOf(pipelined(poolTo(port))),
};
console.log('\nCPU of the sender per bodyless request, medians of rounds in turn');
for (const batch of batches) {
  const seen: Record<string, number[]> = { 'a connection each': [], pipelined: [] };
  for (let round = 0; round <= rounds; round++) {
    for (const [name, side] of Object.entries(sides)) {
      const us = await cpuUs(side, batch);
      // The first round warms up.
      if (round > 0) seen[name].push(us);
    }
  }
  const [each, behind] = [median(seen['a connection each']), median(seen.pipelined)];
  console.log(
    `  batches of ${String(batch).padStart(2)}: a connection each ${each.toFixed(1)} us, pipelined ${behind.toFixed(1)} us, ratio ${(behind / each).toFixed(2)}`,
  );
}
origin.disconnect();
process.exit();
