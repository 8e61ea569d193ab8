/** A house with two versions and one mirror on which a little has happened. */

import { Drop, Failure } from '../../../core/errors.js';
import { HeldBack } from '../../../core/mirror/held-back.js';
import type { Plan } from '../../../core/plan.js';
import { Differs, MirrorCounters } from '../../../core/record/mirror-counters.js';
import { ThreadCounters, ThreadField } from '../../../core/record/thread-counters.js';
import { VersionCounters, VersionField } from '../../../core/record/version-counters.js';
import { type Observed, type ObservedBlocks, openObserved } from '../../../core/report/observed.js';
import { Health, HealthBlock } from '../../../core/upstream/health-block.js';
import { NameBlock } from '../../../core/upstream/resolved-name.js';
import type { Target } from '../../../core/upstream/target.js';
import { mirrorPlan, route as routeOf } from '../route/support.js';

export const STARTED_US = 5_000_000;

const mirror = mirrorPlan({
  to: 1,
  shareMillionths: 250_000,
  bodyBytesMax: 1024,
  timeouts: { requestMs: 5000, requestUntilEnd: false, firstByteMs: 0, idleMs: 0, totalMs: 0 },
});

export const plan: Plan = {
  generation: 3,
  listeners: [],
  admin: { address: { kind: 'tcp', host: '127.0.0.1', port: 0 }, token: null },
  threads: { proxy: 2, shadow: 1, ringBytes: 1 << 20, nice: 5 },
  drainMs: 1000,
  samplingSalt: 'umbra',
  versions: ['v1', 'v2'].map((name) => ({
    name,
    protocol: 'http1' as const,
    streamsMax: 128,
    endpoints: [],
    connectionsMax: 8,
    idleMs: 1000,
    connectTimeoutMs: 1000,
    queueMax: 1024,
    queueTimeoutMs: 5000,
    dnsRefreshMs: 10_000,
    health: null,
    ejection: { failures: 5, errors: 0, baseTimeMs: 1000, maxTimeMs: 30_000, maxShareMillionths: 500_000 },
    slowStartMs: 10_000,
    tls: null,
  })),
  routes: [
    {
      ...routeOf({}),
      name: 'reviews',
      timeouts: { requestMs: 1000, requestUntilEnd: false, firstByteMs: 0, idleMs: 0, totalMs: 0 },
      mirrors: [mirror],
    },
  ],
  accessLog: null,
  log: { level: 'info', format: 'auto' },
  tracing: null,
  histograms: null,
  fleet: null,
  redact: { defaults: true, headers: [], query: [], json: [] },
  effective: '{}',
};

export interface Sample {
  readonly blocks: ObservedBlocks;
  readonly observed: Observed;
}

/** 100 primary requests over two threads: 98 of 200, one 503, one reset; four eligible for the mirror. */
export function sample(): Sample {
  const primary = [VersionCounters.create(), VersionCounters.create()];
  const shadow = [VersionCounters.create()];
  const mirrorBlocks = [MirrorCounters.create(), MirrorCounters.create()];
  const threads = [ThreadCounters.create(), ThreadCounters.create(), ThreadCounters.create()];
  primary.forEach((block) => {
    const counters = new VersionCounters(block);
    for (let i = 1; i <= 50; i++) {
      counters.requestStarted();
      if (i < 50) counters.response(200);
      if (i === 50) continue;
      counters.latency.record(i * 100);
      counters.firstByte.record(i * 50);
    }
    counters.add(VersionField.connectionsOpen, 2);
    counters.add(VersionField.connectionsIdle, 1);
  });
  new VersionCounters(primary[0]).response(503);
  new VersionCounters(primary[0]).add(VersionField.waiting, 3);
  new VersionCounters(primary[0]).add(VersionField.queueRefused);
  new VersionCounters(primary[1]).add(VersionField.queueTimeouts);
  new VersionCounters(primary[0]).add(VersionField.waitingUploads, 2);
  new VersionCounters(primary[1]).add(VersionField.slowUploads);
  new VersionCounters(primary[1]).addEjected(1);
  new VersionCounters(primary[0]).addEjected(1);
  new VersionCounters(primary[0]).addEjected(-1);
  new VersionCounters(primary[1]).failure(Failure.RESET);
  const proxyCounters = new MirrorCounters(mirrorBlocks[0]);
  const shadowCounters = new MirrorCounters(mirrorBlocks[1]);
  for (let i = 0; i < 4; i++) proxyCounters.eligible();
  proxyCounters.dropped(Drop.RING_FULL);
  for (let i = 0; i < 3; i++) {
    proxyCounters.offered();
    shadowCounters.received();
    shadowCounters.sent();
    shadowCounters.queue.record(100);
  }
  shadowCounters.completed();
  shadowCounters.failed(Failure.TIMEOUT);
  shadowCounters.paired(Differs.STATUS);
  shadowCounters.recordDelta(-40);
  threads.forEach((block, i) => {
    const counters = new ThreadCounters(block);
    counters.set(ThreadField.connections, i);
    counters.add(ThreadField.restarts, i);
  });
  const blocks: ObservedBlocks = {
    plan,
    startedUs: STARTED_US,
    engine: 'node',
    versions: [
      { name: 'v1', role: 'primary', blocks: primary },
      { name: 'v2', role: 'shadow', blocks: shadow },
    ],
    mirrors: [
      { route: 'reviews', to: 'v2', baselineOf: null, isSink: false, slot: 0, blocks: mirrorBlocks },
      {
        route: 'gone',
        to: 'v2',
        baselineOf: null,
        isSink: false,
        slot: 7,
        blocks: [MirrorCounters.create()],
      },
    ],
    threads: [
      { kind: 'proxy', name: 'proxy-0', block: threads[0] },
      { kind: 'proxy', name: 'proxy-1', block: threads[1] },
      { kind: 'shadow', name: 'shadow-0', block: threads[2] },
    ],
    releases: [],
    routeCounts: [],
    heldBack: HeldBack.create(),
    targets: new Map([['v1', targets()]]),
    names: [{ name: 'reviews.internal', shared: names() }],
    rings: [{ name: 'proxy-0/shadow-0', shared: new SharedArrayBuffer(4096) }],
  };
  return { blocks, observed: openObserved(blocks, (ring) => ring.byteLength) };
}

/** A name at two addresses, one healthy and one not, and a socket without checks. */
function targets(): Target[] {
  const byName = (host: string, health: SharedArrayBuffer): Target => ({
    endpoint: {
      address: { kind: 'tcp', host: 'reviews.internal', port: 9080 },
      authority: 'reviews.internal:9080',
      secure: false,
      weight: 1,
    },
    address: { kind: 'tcp', host, port: 9080 },
    health,
  });
  const socket = { kind: 'unix', path: '/run/v1.sock' } as const;
  const healths = [HealthBlock.create(), HealthBlock.create()];
  const [well, ill] = healths.map((shared) => new HealthBlock(shared));
  well.set(Health.HEALTHY, STARTED_US);
  for (let i = 0; i < 3; i++) well.count(true);
  ill.set(Health.UNHEALTHY, STARTED_US);
  ill.count(false);
  return [
    byName('10.0.0.7', healths[0]),
    byName('fd00::7', healths[1]),
    {
      endpoint: { address: socket, authority: 'localhost', secure: false, weight: 1 },
      address: socket,
      health: null,
    },
  ];
}

function names(): SharedArrayBuffer {
  const shared = NameBlock.create();
  const block = new NameBlock(shared);
  block.setAddresses(2);
  block.count(false);
  block.count(true);
  return shared;
}
