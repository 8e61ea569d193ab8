/**
 * `umbra reload`, as `ExecReload=` of a unit calls it: the configuration is checked, and loaded again by the
 * running process. If an upgrade has replaced the program's files, the new program takes the process's place
 * instead (docs/decisions/099-notifying-systemd.md).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { basename } from 'node:path';
import { text } from 'node:stream/consumers';
import { optionsOf } from '../../config/command-line/definition.js';
import type { CommandIo } from '../../config/commands/index.js';
import type { ReloadOptions } from '../../config/commands/reload.js';
import { type RunOptions, run } from '../../config/commands/run.js';
import { exitFailure, exitOk, exitUnreachable } from '../../config/exit-codes.js';
import { commandLine, environment, isReplaced, workingDirectory } from '../main/other-process.js';
import { findRunning } from '../main/takeover.js';
import { checkCommand } from './check.js';

/** Variables that are meant for one process. */
const ofOneProcess = ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'WATCHDOG_PID'] as const;
/** The descriptor on which the new process reports that it serves. */
const readyFd = 3;

interface Running {
  readonly pid: number;
  /** Path of its `umbra.js`, from its working directory. */
  readonly script: string;
  readonly options: RunOptions;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Resolves with 0 when it is done, 1 where a new process can't serve, 2 where the configuration has errors,
 * and 4 where there is no such umbra.
 */
export async function reloadCommand({ from, replace }: ReloadOptions, io: CommandIo): Promise<number> {
  const running = findUmbra(from);
  if (typeof running === 'string') {
    io.err(`umbra reload: ${running}`);
    return exitUnreachable;
  }
  const { pid, options, script, env } = running;
  const obstacle = obstacleTo(running, process.env);
  // The configuration, and what it refers to, is found as the running process finds it.
  process.chdir(workingDirectory(pid));
  for (const [name, value] of Object.entries(env)) process.env[name] ??= value;
  for (const name of ofOneProcess) delete process.env[name];
  const code = await checkCommand(
    { file: options.config, set: options.set, output: 'text' },
    { out: () => {}, err: io.err },
  );
  if (code !== exitOk) return code;

  if (replace || isReplaced(pid, script)) {
    if (obstacle === null) return replaceProcess(running, io);
    io.err(`umbra reload: no other program can take over from process ${pid}: ${obstacle}`);
    if (replace) return exitFailure;
  }
  process.kill(pid, 'SIGHUP');
  io.out(`process ${pid} loads ${options.config} again`);
  return exitOk;
}

/** `findUmbra` returns why there is none otherwise. */
function findUmbra(from: ReloadOptions['from']): Running | string {
  if (process.platform !== 'linux') return 'this command needs Linux; send SIGHUP to the process instead';
  const name = 'pid' in from ? `process ${from.pid}` : from.file;
  try {
    const pid = findRunning(from);
    if (pid === null) return `${name} is no running umbra of this user`;
    const words = commandLine(pid);
    const at = words.findIndex((word) => basename(word) === 'umbra.js');
    const options = words[at + 1] === run.name ? optionsOf(run, words.slice(at + 2)) : null;
    if (options === null) return `process ${pid} was not started with \`umbra run\`: ${words.join(' ')}`;
    return { pid, script: words[at]!, options, env: environment(pid) };
  } catch (error) {
    return `${name}: ${(error as Error).message}`;
  }
}

/** `obstacleTo` returns why no other process can take over, or null. `env` is that of this command. */
function obstacleTo(running: Running, env: NodeJS.ProcessEnv): string | null {
  const { NOTIFY_SOCKET: socket, LISTEN_PID, SYSTEMD_EXEC_PID } = running.env;
  const pid = String(running.pid);
  if (LISTEN_PID === pid) return 'it has sockets that systemd opened; restart its service';
  // systemd ends all processes of a unit with the main one, unless it knows of another.
  if (socket === undefined ? SYSTEMD_EXEC_PID === pid : socket !== env.NOTIFY_SOCKET)
    return 'it belongs to a unit of systemd, whose ExecReload= must do that, with NotifyAccess=all';
  return null;
}

/** `replaceProcess` resolves when the new process serves, or has ended. The old one keeps serving then. */
async function replaceProcess({ pid, options }: Running, io: CommandIo): Promise<number> {
  const { config, set, takeover } = options;
  // A file that names this process gets the pid of the next one.
  const named = takeover !== null && 'file' in takeover && findRunning(takeover) === pid;
  const words = ['run', '--config', config, ...set.flatMap((one) => ['--set', one])];
  words.push('--takeover', named ? takeover.file : String(pid), '--ready-fd', String(readyFd));
  const next = await untilReady(startDetached([...process.execArgv, process.argv[1]!, ...words]));
  if (next === null) {
    io.err(`umbra reload: the new process did not start; process ${pid} still serves`);
    return exitFailure;
  }
  io.out(`process ${next} has taken over from process ${pid}`);
  return exitOk;
}

/**
 * The shell ends at once, so that the new process is a child of the service manager, which learns of its end.
 * Output goes where that of this command goes.
 */
function startDetached(words: readonly string[]): ChildProcess {
  return spawn('/bin/sh', ['-c', '"$0" "$@" &', process.execPath, ...words], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    detached: true,
  });
}

/** `untilReady` resolves with the pid that the process reports, or null when it ended before. */
async function untilReady({ stdio }: ChildProcess): Promise<string | null> {
  const reported = (await text(stdio[readyFd] as NodeJS.ReadableStream)).trim();
  return reported === '' ? null : reported;
}
