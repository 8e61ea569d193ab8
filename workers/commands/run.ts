/** `umbra run`: serves in the foreground until a signal says otherwise. */
import { availableParallelism } from 'node:os';
import type { Logger } from 'pino';
import type { RunOptions, Takeover } from '../../config/commands/run.js';
import { exitFailure, exitOk, exitUsage } from '../../config/exit-codes.js';
import type { LoadedAll } from '../../config/load-all.js';
import { isPlanAddress } from '../../config/nats-address.js';
import { type Origin, originOf, originOfPlan } from '../../config/origin.js';
import { type ConfigProblem, formatProblem } from '../../config/problem.js';
import { watchConfig } from '../../config/watch.js';
import { wallClockMs } from '../../core/clock.js';
import { takeInherited } from '../downstream/inherited.js';
import { loadInThread } from '../main/loading.js';
import { LogFilter, logMessage, openLog } from '../main/log.js';
import { Umbra } from '../main/main.js';
import { askToHandOver, findPredecessor, HAND_OVER, writePid } from '../main/takeover.js';
import type { PlanSource } from '../protocol/messages.js';
import { planAtStart } from './plan-address.js';

/** Hooks for a command that runs umbra and prints something of its own. */
export interface RunHooks {
  /** Prints the line that says where it serves. */
  out(line: string): void;
  /** It serves and takes signals. */
  whenReady(umbra: Umbra): void;
  /** Called before each line of the log. */
  beforeLog(): void;
}

const noHooks: RunHooks = {
  out: (line) => process.stdout.write(`${line}\n`),
  whenReady: () => {},
  beforeLog: () => {},
};

/**
 * Resolves with the exit code: 0 after a clean stop, 1 if it can't serve, 2 if the configuration is wrong.
 */
export async function runCommand(
  { config, set, takeover }: RunOptions,
  hooks: RunHooks = noHooks,
): Promise<number> {
  let origin = originOf(config, set);
  let plan: PlanSource | undefined;
  if (isPlanAddress(config)) {
    const found = await planAtStart(config, (line) => process.stderr.write(`umbra: ${line}\n`));
    if ('ok' in found) {
      process.stderr.write(`umbra: ${found.reason}\n`);
      return found.unreachable ? exitFailure : exitUsage;
    }
    origin = originOfPlan(found.name, found.read.text, set);
    plan = { place: found.place, revision: found.read.revision };
  }
  // Watched before it is read, so that no change in between is lost.
  const changes = new ChangeFlag();
  const watch = plan === undefined ? watchConfig(origin.file, () => changes.raise()) : null;
  try {
    const loaded = await loadInThread({ origin, change: null, nowMs: wallClockMs(), yaml: false });
    if (!loaded.ok) {
      printProblems(loaded.problems);
      return exitUsage;
    }
    const filter = new LogFilter();
    filter.follow(loaded.config.redact);
    const log = await openLog(filter, hooks.beforeLog);
    for (const warning of loaded.warnings) log.warn(formatProblem(warning));
    return await serve({ origin, takeover, loaded, log, filter, changes, plan, hooks });
  } finally {
    watch?.close();
  }
}

interface Serving {
  readonly origin: Origin;
  readonly takeover: Takeover | null;
  readonly loaded: Extract<LoadedAll, { ok: true }>;
  readonly log: Logger;
  readonly filter: LogFilter;
  readonly changes: ChangeFlag;
  readonly plan: PlanSource | undefined;
  readonly hooks: RunHooks;
}

async function serve(serving: Serving): Promise<number> {
  const { origin, takeover, loaded, log, filter, changes, plan, hooks } = serving;
  let umbra: Umbra;
  try {
    const predecessor = takeover === null ? null : findPredecessor(takeover);
    umbra = await Umbra.start({
      loaded,
      plan,
      inherited: takeInherited(process.env, process.pid),
      cores: availableParallelism(),
      onLog: (message) => logMessage(log, message),
      onPlan: ({ redact }) => filter.follow(redact),
      mayTakeOver: takeover !== null,
      takeOver: predecessor === null ? undefined : () => askToHandOver(predecessor),
    });
    if (takeover !== null && 'file' in takeover) writePid(takeover.file);
  } catch (error) {
    process.stderr.write(`umbra: ${error instanceof Error ? error.message : String(error)}\n`);
    return exitFailure;
  }
  const reload = async (why: string): Promise<void> => {
    const answer = await umbra.replace(origin);
    if (answer.ok)
      log.info(
        { generation: answer.generation },
        `configuration reloaded (${why}), generation ${answer.generation}`,
      );
    else log.error({ problems: answer.problems }, answer.message);
  };
  const onHangUp = (): void => {
    if (plan === undefined) void reload('SIGHUP');
    else umbra.followAgain();
  };
  process.on('SIGHUP', onHangUp);
  // As with nginx and Envoy; a listener of our own also keeps Node from opening its debugger on this signal.
  const onReopen = (): void => umbra.reopenLog();
  process.on('SIGUSR1', onReopen);
  changes.onRaised(() => void reload('the file changed'));

  const admin = umbra.admin === null ? '' : ` admin=${umbra.admin}`;
  // Signals first: who reads the line may send one at once.
  const stopped = untilStopped(umbra, (why) => log.info(`${why}: draining`));
  hooks.out(`umbra ready listen=${umbra.listening.join(',')}${admin} pid=${process.pid}`);
  hooks.whenReady(umbra);
  await stopped;
  process.off('SIGHUP', onHangUp);
  process.off('SIGUSR1', onReopen);
  return exitOk;
}

/** Remembers a change that came before anybody could act on it. */
class ChangeFlag {
  #raised = false;
  #act: (() => void) | null = null;

  raise(): void {
    this.#raised = true;
    this.#act?.();
  }

  onRaised(act: () => void): void {
    this.#act = act;
    if (this.#raised) act();
  }
}

/** The first SIGTERM or SIGINT drains; a second one, or one after a takeover, stops at once. */
function untilStopped(umbra: Umbra, onDrain: (signal: string) => void): Promise<void> {
  return new Promise((resolve) => {
    let draining = false;
    const onSignal = (signal: string): void => {
      if (draining) {
        void umbra.stopNow().then(resolve);
        return;
      }
      draining = true;
      onDrain(signal);
      void umbra.drain().then(resolve);
    };
    const onHandOver = (): void => {
      if (draining) return;
      draining = true;
      onDrain(`${HAND_OVER}: another process has taken over`);
      void umbra.handOver().then(resolve);
    };
    process.on(HAND_OVER, onHandOver);
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}

function printProblems(problems: readonly ConfigProblem[]): void {
  for (const problem of problems) process.stderr.write(`${formatProblem(problem)}\n`);
}
