/**
 * The control thread: it serves the admin API from shared memory and writes the access log. It asks main for
 * changes and never sends the data plane a message; the data plane never waits for it. The file is long
 * because it starts everything that shares the thread, and passes each part what it needs of the others.
 */

import { randomFillSync } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { effectiveConfig } from '../../config/effective.js';
import { hostName } from '../../config/host-name.js';
import { builtCommit, packageVersion } from '../../config/package-file.js';
import { nowUs, wallClockMs } from '../../core/clock.js';
import { DiffBook, type Diffs } from '../../core/compare/diff-book.js';
import { limits } from '../../core/limits.js';
import { ReloadBlock } from '../../core/record/reload-block.js';
import type { ControlCounts } from '../../core/report/control-counts.js';
import type { DiffsView } from '../../core/report/diffs.js';
import type { ObservedBlocks } from '../../core/report/observed.js';
import { parseDiffs } from '../../core/report/parse-diffs.js';
import { type PairSource, type Reading, read } from '../../core/report/reading.js';
import { seededRandom } from '../../core/route/random.js';
import { Prober } from '../../core/upstream/prober.js';
import { EndpointBook } from '../../core/verdict/endpoint-book.js';
import { evidenceOf } from '../../core/verdict/evidence.js';
import { RunningVerdict } from '../../core/verdict/running-verdict.js';
import type { Verdict } from '../../core/verdict/verdict.js';
import type { AdminDeps } from '../admin/deps.js';
import { AdminFigures } from '../admin/figures.js';
import { LiveFeed } from '../admin/live-feed.js';
import { type AdminServer, serveAdmin } from '../admin/server.js';
import { statusOf } from '../admin/status-body.js';
import { addressUrl } from '../downstream/listen-address.js';
import { alone, type Leadership, Lease } from '../fleet/lease.js';
import { LiveSharer } from '../fleet/live-sharer.js';
import { PlanFollower } from '../fleet/plan-follower.js';
import { FleetPublisher } from '../fleet/publisher.js';
import { StepExchange } from '../fleet/step-exchange.js';
import type {
  ChangeAnswer,
  ChangeAsk,
  ControlStart,
  FromControl,
  LogMessage,
  ToControl,
} from '../protocol/messages.js';
import { openObservation } from '../protocol/observation.js';
import { backgroundNice, yieldToProxyThreads } from '../threads/priority.js';
import { startPulse } from '../threads/pulse.js';
import { unknownMessage } from '../threads/thread.js';
import { AccessLogFile } from './access-log-file.js';
import { Analysts } from './analysts.js';
import { certificateExpiries } from './certificate-expiry.js';
import { GuardWatch } from './guard-watch.js';
import { HistogramLog } from './histogram-log.js';
import { LiveChanges } from './live-changes.js';
import { PairWatch } from './pair-watch.js';
import { Reflections, reflectedVersion } from './reflections.js';
import { RolloutHooks } from './rollout-hooks.js';
import { Rollouts } from './rollouts.js';
import { SpanExport } from './span-export.js';

const start = workerData as ControlStart;
let observed = openObservation(start.observed);
let live = start.live;
yieldToProxyThreads(backgroundNice);
startPulse(start.threadCounters);
/** Null until a mirror asks for descriptors by reflection. */
let reflections: Reflections | null = null;
const diffs = new DiffBook();
const endpoints = new EndpointBook();
const analysts = new Analysts(
  start.pairRings,
  start.pairDoorbell,
  diffs,
  endpoints,
  observed.plan,
  {},
  (plan, route) => reflections?.of(reflectedVersion(plan, route)) ?? null,
);
const asks = new Map<number, (answer: ChangeAnswer) => void>();
let { endpointErrors } = start;
let certificates = certificateExpiries(observed.plan);
const reload = new ReloadBlock(start.reload);
const build = { version: packageVersion(), commit: builtCommit() ?? '', node: process.versions.node };
let lastAsk = 0;
let ready = false;
let server: AdminServer | null = null;

const log = {
  info: (fields: object, message: string) => sayLog('info', fields, message),
  warn: (fields: object, message: string) => sayLog('warn', fields, message),
  error: (fields: object, message: string) => sayLog('error', fields, message),
};

const figures = new AdminFigures();
const pairWatch = new PairWatch(() => observed.mirrors);
const pairs: PairSource = {
  blocksOf: pairWatch.blocksOf,
  endpointsOf: ({ slot }) => endpoints.read(slot),
};
const runningVerdict = new RunningVerdict();
let parsed: { readonly of: Diffs; readonly view: DiffsView } | null = null;
/** The comparisons so far, as commands read them. The object stays the same until the next comparison. */
const diffsView = (): DiffsView => {
  const now = diffs.read();
  if (parsed?.of !== now) parsed = { of: now, view: parseDiffs(now) };
  return parsed.view;
};
const verdict = (reading: Reading): Verdict =>
  runningVerdict.of(evidenceOf(reading), diffsView(), performance.now());
const feed = new LiveFeed({ observe: () => observed, ready: () => ready, pairs, verdict }, figures);
const spans = new SpanExport({
  version: packageVersion(),
  instance: start.fleetId,
  mirrorName: (slot) => observed.mirrors.find((mirror) => mirror.slot === slot)?.to ?? String(slot),
  warn: (message) => log.warn({}, message),
  info: (message) => log.info({}, message),
});
spans.apply(observed.plan);
const accessLog = new AccessLogFile(
  start.logRings,
  start.logDoorbell,
  (message) => log.error({}, message),
  (record) => spans.take(record),
);
accessLog.apply(observed.plan);
const histogramLog = new HistogramLog({
  kept: start.marks,
  keep: (mark) => say({ type: 'mark', mark }),
  warn: (message) => log.error({}, message),
});
histogramLog.apply(observed);
/** Checks endpoints for all threads, while there are endpoints to check. No request waits for this thread. */
let prober: Prober | null = null;
probe(start.observed);
reflect(start.observed);

const follower =
  start.plan === null
    ? null
    : new PlanFollower({
        source: start.plan,
        instance: () => ({ name: instanceName(), id: start.fleetId }),
        generation: () => observed.plan.generation,
        take: (text, revision) => ask({ what: 'plan', text, revision }),
        log,
      });

/** Shares live changes with the other instances that follow the same plan; one of them leads. */
const sharer =
  start.plan === null
    ? null
    : new LiveSharer({
        source: start.plan,
        view: () => live,
        take: (shared) => ask({ what: 'shared', live: shared }),
        log,
      });
const lease =
  start.plan === null
    ? null
    : new Lease({
        key: `${start.plan.place.key}.leader`,
        id: start.fleetId,
        name: instanceName(),
        bucket: () => sharer!.bucket(),
        log,
      });
/** Who drives what must be decided once. */
const leadership: Leadership = lease ?? alone;

const publisher = new FleetPublisher({
  isInstance: true,
  id: start.fleetId,
  read: () => ({
    reading: read(observed, nowUs(), controlCounts(), pairs),
    diffs: diffsView(),
    rollouts: rollouts.notes(),
    revision: follower?.state.revision ?? null,
  }),
  log,
});
publisher.apply(observed.plan);

/** What a driver of rollouts uses. */
const liveChanges = new LiveChanges(ask, live);

const guards = new GuardWatch(observed, observed.heldBack, log);

const hooks = new RolloutHooks(log);
/** Exchanges what the instances of a fleet know of rollouts. */
const exchange =
  start.plan === null
    ? null
    : new StepExchange({
        planKey: start.plan.place.key,
        bucketName: start.plan.place.bucket,
        id: start.fleetId,
        name: instanceName(),
        link: sharer!,
        leadership,
        home: {
          get isActive() {
            return rollouts.isActive;
          },
          get isWaiting() {
            return rollouts.isWaiting;
          },
          reports: () => rollouts.reports(),
          shown: () => rollouts.shown(),
        },
        log,
      });
const rollouts = new Rollouts(
  {
    observed: () => observed,
    live: () => liveChanges.state,
    diffs: diffsView,
    wallMs: wallClockMs,
    heldSinceMs: (route) => guards.heldSinceMs(route),
    setLive: (route, change, mustShare) => liveChanges.setLive(route, change, 'rollout', mustShare),
    unshared: () => live.unshared,
    fleet: exchange,
    runHook: (hook, event) => hooks.run(hook, event),
    changed: () => {},
    log,
  },
  () => ready,
);
liveChanges.onChange(() => rollouts.follow());

parentPort!.on('message', (message: ToControl) => {
  switch (message.type) {
    case 'observe':
      observed = openObservation(message.observed);
      live = message.live;
      liveChanges.follow(live);
      guards.apply(observed);
      probe(message.observed);
      reflect(message.observed);
      analysts.apply(observed.plan);
      accessLog.apply(observed.plan);
      spans.apply(observed.plan);
      certificates = certificateExpiries(observed.plan);
      histogramLog.apply(observed);
      publisher.apply(observed.plan);
      say({ type: 'observing', generation: observed.plan.generation });
      return;
    case 'endpointErrors':
      endpointErrors = message.errors;
      return;
    case 'serving':
      ready = message.serving;
      return;
    case 'reopenLog':
      accessLog.reopen();
      return;
    case 'followAgain':
      follower?.again();
      return;
    case 'closeAdmin':
      void server?.close();
      server = null;
      return;
    case 'share': {
      const { id, text, revision } = message;
      void sharer!.share(text, revision).then((result) => say({ type: 'shared', id, result }));
      return;
    }
    case 'answer':
      asks.get(message.id)?.(message.answer);
      asks.delete(message.id);
      return;
    case 'leave':
      void leave();
      return;
    default:
      unknownMessage(message);
  }
});

void listen();

async function listen(): Promise<void> {
  const { admin } = observed.plan;
  if (admin === null) {
    say({ type: 'ready', address: null, port: 0 });
    return;
  }
  // A replacement serves on the same port as its predecessor, even if the plan leaves the port open.
  const address =
    admin.address.kind === 'tcp'
      ? { ...admin.address, port: start.adminPort ?? admin.address.port }
      : admin.address;
  feed.start();
  const deps: AdminDeps = {
    address,
    token: admin.token,
    log,
    figures,
    feed,
    observe: () => observed,
    controlCounts,
    ready: () => ready,
    pairs,
    verdict,
    diffs: () => diffs.read(),
    effectiveConfig: () => effectiveConfig(observed.plan),
    changeLive: ask,
    rollouts: () => rollouts,
    rolloutHooks: () => hooks.counts,
    rolloutReports: () => exchange?.counts ?? null,
    wallMs: wallClockMs,
    status: () => {
      const { plan } = observed;
      const reading = read(observed, nowUs(), controlCounts());
      const fleet = lease === null ? null : { name: instanceName(), leader: leadership.leader };
      const heldSinceMs = (route: string) => guards.heldSinceMs(route);
      return statusOf({ plan, reading, live, ready, fleet, rollouts: rollouts.notes(), heldSinceMs });
    },
    replaceConfig: (text) => ask({ what: 'config', text }),
    changeDocuments: (change, dryRun) => ask({ what: 'documents', change, dryRun }),
  };
  const open = async () => (await import('../admin/app.js')).createAdminApp(deps);
  try {
    server = await serveWithin(start.takeoverMs, () =>
      serveAdmin(open, address, (why) => figures.refused[why]++),
    );
    const { port } = server;
    say({ type: 'ready', address: addressUrl('http', address, port), port });
  } catch (error) {
    const name = addressUrl('http', address, address.kind === 'tcp' ? address.port : 0);
    say({ type: 'failing', error: `the admin API cannot listen on ${name}: ${causeOf(error)}` });
  }
}

function instanceName(): string {
  return observed.plan.fleet?.name ?? hostName();
}

function controlCounts(): ControlCounts {
  const fleet = { publishing: publisher.state, plan: follower?.state ?? null };
  const { allMirrors, mirrors, weights } = live.state;
  const { counts: tracing, exemplars } = spans;
  const { ok, appliedMs } = reload;
  return {
    histogramLog: histogramLog.counts,
    admin: figures,
    fleet,
    endpointErrors,
    live: {
      allMirrors: allMirrors === null ? 0 : 1,
      mirrors: mirrors.length,
      weights: weights.length,
      kept: live.problem === null,
    },
    tracing,
    exemplars,
    certificates,
    reload: { ok, appliedMs },
    build,
  };
}

function probe({ plan, targets }: ObservedBlocks): void {
  if (prober === null && plan.versions.every((version) => version.health === null)) return;
  const word = seededRandom(randomFillSync(new Uint32Array(4)));
  prober ??= new Prober(nowUs, () => word() / 2 ** 32, {
    onChange: (version, target, isHealthy, why) => {
      const { authority } = target.endpoint;
      const { address } = target;
      const where = address.kind === 'unix' ? address.path : `${address.host} port ${address.port}`;
      const message = `${authority} (${where}) of ${version} is ${isHealthy ? 'healthy' : 'unhealthy'}: ${why}`;
      log[isHealthy ? 'info' : 'warn']({ version, endpoint: authority, address: where, why }, message);
    },
  });
  prober.follow(plan.versions, targets);
}

function reflect({ plan, targets }: ObservedBlocks): void {
  const isWanted = plan.routes.some(({ mirrors }) =>
    mirrors.some(({ compare }) => compare.structure?.reflection === true),
  );
  if (reflections === null && !isWanted) return;
  reflections ??= new Reflections({ log, changed: () => analysts.apply(observed.plan) });
  reflections.apply(plan, targets);
}

/**
 * `serveWithin` retries for `withinMs` while the address is in use, because the process that is taken over is
 * about to release it.
 */
async function serveWithin(withinMs: number, serve: () => Promise<AdminServer>): Promise<AdminServer> {
  const endMs = performance.now() + withinMs;
  for (;;) {
    try {
      return await serve();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || performance.now() > endMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }
}

const retryMs = 20;

function causeOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'EADDRINUSE' ? 'the address is in use' : message;
}

/** `ask` sends a change to main, which keeps pending changes too. Their number is bounded. */
function ask(change: ChangeAsk): Promise<ChangeAnswer> {
  if (asks.size >= limits.adminPendingChanges) {
    figures.refused.changes++;
    const message = 'too many changes wait for the ones before them; nothing was changed';
    return Promise.resolve({ ok: false, status: 503, message, problems: [] });
  }
  const id = ++lastAsk;
  return new Promise((resolve) => {
    asks.set(id, resolve);
    say({ type: 'ask', id, ask: change });
  });
}

async function leave(): Promise<void> {
  feed.close();
  guards.stop();
  rollouts.stop();
  pairWatch.stop();
  prober?.stop();
  reflections?.stop();
  await Promise.all([lease?.stop(), exchange?.stop()]);
  await Promise.all([publisher.close(), follower?.stop(), sharer?.stop()]);
  await server?.close();
  await analysts.close();
  await accessLog.close();
  await spans.close();
  await histogramLog.close();
  process.exit(0);
}

function say(message: FromControl): void {
  parentPort!.postMessage(message);
}

function sayLog(level: LogMessage['level'], fields: object, message: string): void {
  say({ type: 'log', level, message, fields: { ...fields } });
}
