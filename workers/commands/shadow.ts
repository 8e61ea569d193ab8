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
import { limits } from '../../core/limits.js';
import type { Plan, VersionPlan } from '../../core/plan.js';
import { MirrorField } from '../../core/record/mirror-counters.js';
import { ReplayCounters } from '../../core/replay/replay-counters.js';
import type { DiffsView } from '../../core/report/diffs.js';
import { countText, spanText } from '../../core/report/figures.js';
import { parseDiffs } from '../../core/report/parse-diffs.js';
import { StreamShadow } from '../../core/stream/stream-shadow.js';
import { unitMs } from '../../core/verdict/block-series.js';
import { FleetPublisher } from '../fleet/publisher.js';
import { AddressBook } from '../main/address-book.js';
import { type GroupTrouble, StreamGroup } from '../nats/stream-group.js';
import { PairAnalysts } from '../replay/pair-analysts.js';
import { planOfConfig, rulesOf } from './compare-rules.js';
import { oneMirror, openPool, serverAsVersion } from './one-mirror.js';
import { printReading } from './print-reading.js';
import { ProgressLine } from './progress-line.js';

const serverName = 'shadow';
const publishMs = 1000;
/** Rejected messages that are named one by one; further ones are counted. */
const givenUpTold = 5;

/**
 * Resolves with the exit code: 1 where NATS, the group or the version is not to be had, or by the verdict
 * where it is asked for. Never rejects.
 */
export async function shadowCommand(options: ShadowOptions, commandIo: CommandIo): Promise<number> {
  const io = new ProgressLine(commandIo);
  const say = (line: string): void => io.err(`umbra shadow: ${line}`);
  try {
    const configured = options.config === null ? null : await planOfConfig(options.config);
    const version = versionOf(options, configured);
    const { subject } = options.from;
    const named = 'version' in options.to ? options.to.version : null;
    const rules = configured === null ? null : rulesOf(configured, options, named);
    // The primary of the messages is not a version of a fleet, and must not be added to one.
    const plan = oneMirror(subject, `primary-of-${subject}`, version, options.ignore, rules);
    const counters = new ReplayCounters();
    const startUs = nowUs();
    const pairs = new PairAnalysts(plan, false);
    const failure = await serve(options, plan, counters, pairs, startUs, io, say);
    await pairs.idle();
    const diffs = diffsOf(pairs);
    await pairs.close();
    if (failure !== null) throw new Error(failure);
    const reading = counters.reading(plan, startUs, nowUs());
    const { completed, eligible } = reading.mirrors[0].counts;
    io.out(
      `took ${countText(eligible)} deliveries of ${streamName(options.from)} in ${spanText(reading.uptimeS)}; ${countText(completed)} were answered`,
    );
    if (eligible === 0 && !options.verdict) return exitOk;
    const versus = `${version.name} against the primary, by ${streamName(options.from)}`;
    return await printReading(reading, diffs, { ...options, source: streamName(options.from) }, versus, io);
  } catch (error) {
    say((error as Error).message);
    return exitFailure;
  }
}

/** Until it is stopped. Null, or why it could not begin. */
async function serve(
  options: ShadowOptions,
  plan: Plan,
  counters: ReplayCounters,
  pairs: PairAnalysts,
  startUs: number,
  io: ProgressLine,
  say: (line: string) => void,
): Promise<string | null> {
  const [, version] = plan.versions;
  const addresses = new AddressBook({
    onChange: () => pool.follow(addresses.targets.get(version.name) ?? []),
    onLog: (_level, message) => say(message),
  });
  await addresses.apply(plan);
  const pool = openPool(version, addresses.targets.get(version.name) ?? []);
  const shadow = shadowOf(options, plan, pairs, pool, counters, say);
  let end!: (failure: string | null) => void;
  const ended = new Promise<string | null>((resolve) => {
    end = resolve;
  });
  const begin = new Beginning(options, end, io, say);
  const group = new StreamGroup({
    from: options.from,
    group: options.group,
    ackWaitMs: options.ackWaitMs,
    taker: shadow,
    onOpen: (stream, { config }) => begin.opened(stream, (config.ack_wait ?? 0) / 1e6),
    onTrouble: (kind, why) => begin.troubled(kind, why),
    onQuiet: ({ num_pending, num_ack_pending }) => {
      shadow.quiet(num_pending);
      if (options.untilEmpty && num_pending === 0 && num_ack_pending === 0) end(null);
    },
  });
  const publisher = publisherOf(options, plan, counters, pairs, startUs, say);
  const stop = (): void => end(null);
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const timer = options.forMs === null ? undefined : setTimeout(() => end(begin.whyNot), options.forMs);
  const endProgress = io.show(() => progressText(counters));
  const looks = setInterval(() => counters.look(), unitMs);
  const running = group.run();

  const failure = await ended;
  endProgress();
  clearTimeout(timer);
  begin.over();
  process.off('SIGINT', stop);
  process.off('SIGTERM', stop);
  // Nothing new is taken; what is under way is finished and acknowledged, and the rest is for others.
  group.stop();
  if (shadow.inFlight > 0) say(`nothing more is taken; ${shadow.inFlight} requests are under way`);
  await running;
  await shadow.whenIdle();
  clearInterval(looks);
  await group.close();
  await publisher?.close();
  addresses.stop();
  pool.close();
  return failure;
}

/** Null while nothing was compared. */
function diffsOf(pairs: PairAnalysts): DiffsView | null {
  const diffs = parseDiffs(pairs.diffs());
  return diffs.mirrors.length === 0 ? null : diffs;
}

function shadowOf(
  options: ShadowOptions,
  plan: Plan,
  pairs: PairAnalysts,
  pool: ReturnType<typeof openPool>,
  counters: ReplayCounters,
  say: (line: string) => void,
): StreamShadow {
  let givenUp = 0;
  return new StreamShadow({
    servers: {
      shadow: {
        pool,
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
    inFlightMax: options.inFlight,
    deliveriesMax: options.deliveries,
    onRejected: (sequence, why) => {
      if (++givenUp <= givenUpTold) say(`message ${sequence} is given up: ${why}`);
      if (givenUp === givenUpTold) say('further ones are counted and not named');
    },
  });
}

/** Reports the start until the group is there for the first time, and its troubles later. */
class Beginning {
  readonly #options: ShadowOptions;
  readonly #fail: (failure: string) => void;
  readonly #io: CommandIo;
  readonly #say: (line: string) => void;
  readonly #tooLate: NodeJS.Timeout;
  #why = '';
  #opened = false;

  constructor(
    options: ShadowOptions,
    fail: (failure: string) => void,
    io: CommandIo,
    say: (line: string) => void,
  ) {
    this.#options = options;
    this.#fail = fail;
    this.#io = io;
    this.#say = say;
    this.#tooLate = setTimeout(() => {
      if (!this.#opened) fail(this.#why);
    }, limits.planWaitMs);
  }

  /** Why there is no group up to now; null where there is one, or nothing has been found against it. */
  get whyNot(): string | null {
    return this.#opened || this.#why === '' ? null : this.#why;
  }

  opened(stream: string, ackWaitMs: number): void {
    const { group, to, timeoutMs } = this.#options;
    this.over();
    const target = 'url' in to ? to.url : to.version;
    if (this.#opened) this.#say(`taking messages of ${stream} again`);
    else this.#io.out(`umbra shadow ready stream=${stream} group=${group} to=${target} pid=${process.pid}`);
    this.#opened = true;
    if (ackWaitMs <= timeoutMs)
      this.#say(
        `group ${group} gives a message to another process after ${ackWaitMs} ms, and an exchange may take ${timeoutMs} ms: some will be sent twice`,
      );
  }

  troubled(kind: GroupTrouble, why: string): void {
    this.#why = why;
    if (!this.#opened && (kind === 'refused' || (kind === 'no-stream' && this.#options.untilEmpty)))
      this.#fail(why);
    else this.#say(`${why}; it is tried again`);
    // Whoever publishes may come later than the shadows.
    if (kind === 'no-stream') this.over();
  }

  over(): void {
    clearTimeout(this.#tooLate);
  }
}

function publisherOf(
  { fleet, name }: ShadowOptions,
  plan: Plan,
  counters: ReplayCounters,
  pairs: PairAnalysts,
  startUs: number,
  say: (line: string) => void,
): FleetPublisher | null {
  if (fleet === null) return null;
  const log = (_fields: object, message: string): void => say(message);
  const publisher = new FleetPublisher({
    id: randomBytes(4).toString('hex'),
    isInstance: false,
    read: () => ({
      reading: counters.reading(plan, startUs, nowUs()),
      diffs: diffsOf(pairs),
      revision: null,
    }),
    log: { info: () => {}, warn: log, error: log },
  });
  publisher.apply({ ...plan, fleet: { ...fleet, name, intervalMs: publishMs } });
  return publisher;
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
