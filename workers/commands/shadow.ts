/**
 * `umbra shadow`: takes the requests of a stream to a version, measures it as a shadow, and reports what came
 * of it here and in a fleet.
 */
import { randomBytes } from 'node:crypto';
import type { CommandIo } from '../../config/commands/index.js';
import type { ShadowOptions } from '../../config/commands/shadow.js';
import { exitFailure, exitOk } from '../../config/exit-codes.js';
import { streamName } from '../../config/nats-address.js';
import { nowUs } from '../../core/clock.js';
import type { Plan, VersionPlan } from '../../core/plan.js';
import { MirrorField } from '../../core/record/mirror-counters.js';
import { ReplayCounters } from '../../core/replay/replay-counters.js';
import type { DiffsView } from '../../core/report/diffs.js';
import { countText, spanText } from '../../core/report/figures.js';
import { parseDiffs } from '../../core/report/parse-diffs.js';
import type { Reading } from '../../core/report/reading.js';
import { StreamShadow } from '../../core/stream/stream-shadow.js';
import type { VersionPool } from '../../core/upstream/pool.js';
import { unitMs } from '../../core/verdict/block-series.js';
import { serveMetrics } from '../admin/metrics-server.js';
import { FleetPublisher } from '../fleet/publisher.js';
import { AddressBook } from '../main/address-book.js';
import { StreamGroup } from '../nats/stream-group.js';
import { PairAnalysts } from '../replay/pair-analysts.js';
import { planOfConfig, rulesOf } from './compare-rules.js';
import { oneMirror, openPool, serverAsVersion } from './one-mirror.js';
import { printReading } from './print-reading.js';
import { ProgressLine } from './progress-line.js';
import { ShadowStart } from './shadow-start.js';

const serverName = 'shadow';
const publishMs = 1000;
/** Rejected messages that are named one by one; further ones are counted. */
const rejectedNamed = 5;

/**
 * Resolves with the exit code: 1 where NATS, the group or the version is not to be had, or by the verdict
 * where it is asked for. Never rejects.
 */
export async function shadowCommand(options: ShadowOptions, commandIo: CommandIo): Promise<number> {
  const io = new ProgressLine(commandIo);
  const say = (line: string): void => io.err(`umbra shadow: ${line}`);
  try {
    const plan = await planOf(options);
    const run = new ShadowRun(options, plan, io, say);
    const failure = await run.whileServed(() => serve(run));
    if (failure !== null) throw new Error(failure);
    const reading = run.reading();
    const { completed, eligible } = reading.mirrors[0].counts;
    const from = streamName(options.from);
    if (options.output !== 'json')
      io.out(
        `took ${countText(eligible)} deliveries of ${from} in ${spanText(reading.uptimeS)}; ${countText(completed)} were answered`,
      );
    if (eligible === 0 && !options.verdict && options.output !== 'json') return exitOk;
    const versus = `${plan.versions[1].name} against the primary, by ${from}`;
    const facts = { deliveries: eligible, answered: completed };
    return await printReading(reading, run.diffs(), { ...options, source: from }, versus, io, facts);
  } catch (error) {
    say((error as Error).message);
    return exitFailure;
  }
}

/** What one run counts and compares, and who looks at it meanwhile. */
class ShadowRun {
  readonly options: ShadowOptions;
  readonly plan: Plan;
  readonly io: ProgressLine;
  readonly say: (line: string) => void;
  readonly counters = new ReplayCounters();
  readonly pairs: PairAnalysts;
  readonly #startUs = nowUs();
  /** The port of `/metrics`; null: it is not asked for. */
  metricsPort: number | null = null;

  constructor(options: ShadowOptions, plan: Plan, io: ProgressLine, say: (line: string) => void) {
    this.options = options;
    this.plan = plan;
    this.io = io;
    this.say = say;
    this.pairs = new PairAnalysts(plan, false);
  }

  reading(): Reading {
    return this.counters.reading(this.plan, this.#startUs, nowUs());
  }

  /** Null while nothing was compared. */
  diffs(): DiffsView | null {
    const diffs = parseDiffs(this.pairs.diffs());
    return diffs.mirrors.length === 0 ? null : diffs;
  }

  /** Serves the figures, where that is asked for, while `work` is under way. */
  async whileServed<T>(work: () => Promise<T>): Promise<T> {
    const { metrics, token } = this.options;
    const look = () => ({ reading: this.reading(), diffs: this.pairs.diffs() });
    const server = metrics === null ? null : await serveMetrics({ address: metrics, token }, look, this.say);
    this.metricsPort = server?.port ?? null;
    const looks = setInterval(() => this.counters.look(), unitMs);
    try {
      return await work();
    } finally {
      clearInterval(looks);
      await server?.close();
      await this.pairs.idle();
      await this.pairs.close();
    }
  }
}

/** Until it is stopped. Null, or why it could not begin. */
async function serve(run: ShadowRun): Promise<string | null> {
  const { options, plan, io, say } = run;
  const [, version] = plan.versions;
  const addresses = new AddressBook({
    onChange: () => {
      const targets = addresses.targets.get(version.name) ?? [];
      pool.follow(targets);
      if (grpcPool !== pool) grpcPool.follow(targets);
    },
    onLog: (_level, message) => say(message),
  });
  await addresses.apply(plan);
  const targets = addresses.targets.get(version.name) ?? [];
  const pool = openPool(version, targets);
  // A version of a configuration speaks what it says there.
  const grpcPool = 'version' in options.to ? pool : openPool({ ...version, protocol: 'http2' }, targets);
  const shadow = shadowOf(run, pool, grpcPool);
  let end!: (failure: string | null) => void;
  const ended = new Promise<string | null>((resolve) => {
    end = resolve;
  });
  const start = new ShadowStart(options, run.metricsPort, end, io, say);
  const group = new StreamGroup({
    from: options.from,
    group: options.group,
    ackWaitMs: options.ackWaitMs,
    taker: shadow,
    onOpen: (stream, { config }) => start.opened(stream, (config.ack_wait ?? 0) / 1e6),
    onTrouble: (kind, why) => start.troubled(kind, why),
    onQuiet: ({ num_pending, num_ack_pending }) => {
      shadow.quiet(num_pending);
      if (options.untilEmpty && num_pending === 0 && num_ack_pending === 0) end(null);
    },
  });
  const publisher = publisherOf(run);
  const stop = (): void => end(null);
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const timer = options.forMs === null ? undefined : setTimeout(() => end(start.whyNot), options.forMs);
  const endProgress = io.show(() => progressText(run.counters));
  const running = group.run();

  const failure = await ended;
  endProgress();
  clearTimeout(timer);
  start.over();
  process.off('SIGINT', stop);
  process.off('SIGTERM', stop);
  // Nothing new is taken; what is under way is finished and acknowledged, and the rest is for others.
  group.stop();
  if (shadow.inFlight > 0) say(`nothing more is taken; ${shadow.inFlight} requests are under way`);
  await running;
  await shadow.whenIdle();
  await group.close();
  await publisher?.close();
  addresses.stop();
  pool.close();
  grpcPool.close();
  return failure;
}

function shadowOf(
  { options, plan, pairs, counters, say }: ShadowRun,
  pool: VersionPool,
  grpcPool: VersionPool,
): StreamShadow {
  let rejected = 0;
  return new StreamShadow({
    servers: {
      shadow: {
        pool,
        grpcPool,
        counters: counters.played,
        host: options.keepHost ? null : plan.versions[1].endpoints[0].authority,
        tokens: null,
      },
      primary: null,
      baseline: null,
    },
    compare: plan.routes[0].mirrors[0].compare,
    pairs,
    counters,
    clock: nowUs,
    timeoutMs: options.timeoutMs,
    // A message that is under way for longer than its timeout may be delivered to another process as well.
    messagePace: { speed: 1, longStreams: 'hurry' },
    inFlightMax: options.inFlight,
    deliveriesMax: options.deliveries,
    onRejected: (sequence, why) => {
      if (++rejected <= rejectedNamed) say(`message ${sequence} is given up: ${why}`);
      if (rejected === rejectedNamed) say('further ones are counted and not named');
    },
  });
}

function publisherOf(run: ShadowRun): FleetPublisher | null {
  const { fleet, name } = run.options;
  if (fleet === null) return null;
  const log = (_fields: object, message: string): void => run.say(message);
  const publisher = new FleetPublisher({
    id: randomBytes(4).toString('hex'),
    isInstance: false,
    read: () => ({ reading: run.reading(), diffs: run.diffs(), rollouts: [], revision: null }),
    log: { info: () => {}, warn: log, error: log },
  });
  publisher.apply({ ...run.plan, fleet: { ...fleet, name, intervalMs: publishMs } });
  return publisher;
}

async function planOf(options: ShadowOptions): Promise<Plan> {
  const configured = options.config === null ? null : await planOfConfig(options.config);
  const version = versionOf(options, configured);
  const { subject } = options.from;
  const named = 'version' in options.to ? options.to.version : null;
  const rules = configured === null ? null : rulesOf(configured, options, named);
  // The primary of the messages is not a version of a fleet, and must not be added to one.
  return oneMirror(subject, `primary-of-${subject}`, version, options.ignore, rules);
}

/**
 * Whom requests are sent to: all of `--in-flight` may wait for a connection, and nobody checks its health.
 */
function versionOf({ to, inFlight, timeoutMs, config }: ShadowOptions, configured: Plan | null): VersionPlan {
  if ('url' in to) return serverAsVersion(serverName, to.url, to.connections, inFlight, timeoutMs);
  const versions = configured?.versions ?? [];
  const found = versions.find(({ name }) => name === to.version);
  if (found === undefined)
    throw new Error(
      `${config} has no version ${to.version}; versions: ${versions.map(({ name }) => name).join(', ')}`,
    );
  return { ...found, health: null, queueMax: inFlight, queueTimeoutMs: timeoutMs };
}

function progressText({ mirror }: ReplayCounters): string {
  return `${mirror.get(MirrorField.completed)} answered, ${mirror.totalOf(MirrorField.failed)} failed, ${mirror.totalOf(MirrorField.dropped)} given back or up, ${mirror.get(MirrorField.inFlight)} under way`;
}
