/** `umbra run`: serves in the foreground until a signal says otherwise. */
import { availableParallelism } from 'node:os';
import type { RunOptions } from '../../config/command-line.js';
import { type ConfigProblem, formatProblem, loadConfigFile } from '../../config/load.js';
import { watchConfig } from '../../config/watch.js';
import { logMessage, openLog } from '../log.js';
import { Umbra } from '../main.js';

const exitOk = 0;
const exitFailure = 1;
const exitBadConfig = 2;

/** Resolves with the exit code: 0 after a clean stop, 1 if it can't serve, 2 if the configuration is wrong. */
export async function runCommand({ config: file, set }: RunOptions): Promise<number> {
  const loaded = await loadConfigFile(file, { set: [...set] });
  if (!loaded.ok) {
    printProblems(loaded.problems);
    return exitBadConfig;
  }
  const log = openLog();
  for (const warning of loaded.warnings) log.warn(formatProblem(warning));

  let umbra: Umbra;
  try {
    umbra = await Umbra.start({
      config: loaded.config,
      file,
      set,
      cores: availableParallelism(),
      onLog: (message) => logMessage(log, message),
    });
  } catch (error) {
    process.stderr.write(`umbra: ${error instanceof Error ? error.message : String(error)}\n`);
    return exitFailure;
  }
  const admin = umbra.admin === null ? '' : ` admin=${umbra.admin}`;
  process.stdout.write(`umbra ready listen=${umbra.listening.join(',')}${admin} pid=${process.pid}\n`);

  const reload = async (why: string): Promise<void> => {
    const next = await loadConfigFile(file, { set: [...set] });
    const answer = await umbra.replace(next);
    if (answer.ok) log.info({ generation: answer.generation }, `configuration taken (${why})`);
    else log.error({ problems: answer.problems }, answer.message);
  };
  const watcher = watchConfig(file, () => void reload('the file changed'));
  const onHangUp = (): void => void reload('SIGHUP');
  process.on('SIGHUP', onHangUp);
  await untilStopped(umbra, (signal) => log.info(`${signal}: draining`));
  process.off('SIGHUP', onHangUp);
  await watcher.close();
  return exitOk;
}

/** The first SIGTERM or SIGINT drains; a second one stops at once. */
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
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}

export function printProblems(problems: readonly ConfigProblem[]): void {
  for (const problem of problems) process.stderr.write(`${formatProblem(problem)}\n`);
}
