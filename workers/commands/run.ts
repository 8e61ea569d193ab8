/** `umbra run`: serves in the foreground until a signal says otherwise. */
import { closeSync, writeSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { RunOptions, Takeover } from '../../config/commands/run.js';
import { exitFailure, exitOk, exitUsage } from '../../config/exit-codes.js';
import type { LoadedAll } from '../../config/load-all.js';
import { isPlanAddress } from '../../config/nats-address.js';
import { type Origin, originOf, originOfPlan } from '../../config/origin.js';
import { type ConfigProblem, formatProblem } from '../../config/problem.js';
import { watchConfig } from '../../config/watch.js';
import { wallClockMs } from '../../core/clock.js';
import type { LogPlan } from '../../core/plan.js';
import { takeInherited } from '../downstream/inherited.js';
import { loadInThread } from '../main/loading.js';
import { type Log, LogFilter, logMessage, openLog } from '../main/log.js';
import { Umbra } from '../main/main.js';
import { ServiceManager } from '../main/service-manager.js';
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
  { config, set, takeover, readyFd, logLevel }: RunOptions,
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
    plan = { place: found.place, revision: found.read.revision, live: found.read.live };
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
    const logPlan = (plan: LogPlan): LogPlan => (logLevel === null ? plan : { ...plan, level: logLevel });
    const log = await openLog(filter, logPlan(loaded.config.log), hooks.beforeLog);
    for (const warning of loaded.warnings) log.warn(formatProblem(warning));
    return await serve({ origin, takeover, readyFd, loaded, log, logPlan, filter, changes, plan, hooks });
  } finally {
    watch?.close();
  }
}

interface Serving {
  readonly origin: Origin;
  readonly takeover: Takeover | null;
  readonly readyFd: number | null;
  readonly loaded: Extract<LoadedAll, { ok: true }>;
  readonly log: Log;
  /** The level that the command line asks for goes before that of the configuration. */
  readonly logPlan: (plan: LogPlan) => LogPlan;
  readonly filter: LogFilter;
  readonly changes: ChangeFlag;
  readonly plan: PlanSource | undefined;
  readonly hooks: RunHooks;
}

async function serve(serving: Serving): Promise<number> {
  const { origin, takeover, readyFd, loaded, log, logPlan, filter, changes, plan, hooks } = serving;
  const manager = new ServiceManager({
    env: process.env,
    pid: process.pid,
    onTrouble: (line) => log.warn(line),
  });
  let umbra: Umbra;
  try {
    const predecessor = takeover === null ? null : findPredecessor(takeover);
    umbra = await Umbra.start({
      loaded,
      plan,
      inherited: takeInherited(process.env, process.pid),
      cores: availableParallelism(),
      onLog: (message) => logMessage(log, message),
      onPlan: (plan) => {
        filter.follow(plan.redact);
        void log.follow(logPlan(plan.log));
      },
      mayTakeOver: takeover !== null,
      takeOver: predecessor === null ? undefined : () => takeOverFrom(predecessor, manager),
    });
    if (takeover !== null && 'file' in takeover) writePid(takeover.file);
  } catch (error) {
    process.stderr.write(`umbra: ${error instanceof Error ? error.message : String(error)}\n`);
    manager.close();
    return exitFailure;
  }
  const serves = `serving ${umbra.listening.join(', ')}`;
  const reload = async (why: string): Promise<void> => {
    manager.reloading();
    const answer = await umbra.replace(origin);
    if (answer.ok) {
      const { generation } = answer;
      log.info({ generation }, `configuration reloaded (${why}), generation ${generation}`);
      manager.reloaded(serves);
    } else {
      log.error({ problems: answer.problems }, answer.message);
      manager.reloaded(`${serves}; the last reload was refused: ${answer.problems[0] ?? answer.message}`);
    }
  };
  const onHangUp = (): void => {
    if (plan === undefined) return void reload('SIGHUP');
    manager.reloading();
    umbra.followAgain();
    manager.reloaded(serves);
  };
  process.on('SIGHUP', onHangUp);
  // As with nginx and Envoy; a listener of our own also keeps Node from opening its debugger on this signal.
  const onReopen = (): void => umbra.reopenLog();
  process.on('SIGUSR1', onReopen);
  changes.onRaised(() => void reload('the file changed'));

  const admin = umbra.admin === null ? '' : ` admin=${umbra.admin}`;
  // Signals first: who reads the line may send one at once.
  const stopped = untilStopped(umbra, (why) => {
    log.info(`${why}: draining`);
    // After a takeover the unit has another main process, and does not stop.
    if (!why.startsWith(HAND_OVER)) manager.stopping(`draining after ${why}`, umbra.plan.drainMs);
  });
  hooks.out(`umbra ready listen=${umbra.listening.join(',')}${admin} pid=${process.pid}`);
  if (readyFd !== null) reportReady(readyFd, log);
  manager.ready(serves, () => umbra.allThreadsAnswer);
  hooks.whenReady(umbra);
  await stopped;
  manager.close();
  process.off('SIGHUP', onHangUp);
  process.off('SIGUSR1', onReopen);
  return exitOk;
}

/** The other process may end at once, and the unit with it: systemd must know its new main process before. */
async function takeOverFrom(predecessor: number, manager: ServiceManager): Promise<void> {
  await manager.becomeMain();
  askToHandOver(predecessor);
}

/** `reportReady` writes one line with the pid, as s6 and dinit expect it of a process that serves. */
function reportReady(fd: number, log: Log): void {
  try {
    writeSync(fd, `${process.pid}\n`);
    closeSync(fd);
  } catch (error) {
    log.warn(`--ready-fd ${fd} can't be written: ${(error as Error).message}`);
  }
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
