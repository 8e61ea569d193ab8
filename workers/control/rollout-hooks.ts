/**
 * Runs the hooks of rollouts: a program, or a POST request. Nothing waits for them. A program is a file of
 * the directory that UMBRA_HOOKS names, so that who may change the configuration can't run any program; no
 * shell reads its arguments. Control thread.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { basename, join } from 'node:path';
import { limits } from '../../core/limits.js';
import type { HookPlan } from '../../core/plan.js';
import { printable } from '../../core/printable.js';
import type { RolloutEvent, RolloutHome } from './running-rollout.js';

type Log = RolloutHome['log'];

export class RolloutHooks {
  readonly #log: Log;
  readonly #directory: string | undefined;
  #running = 0;
  /** By result, for metrics. */
  readonly counts = { ok: 0, failed: 0, refused: 0 };

  constructor(log: Log, directory: string | undefined = process.env.UMBRA_HOOKS) {
    this.#log = log;
    this.#directory = directory;
  }

  /** `run` returns at once. The log says how the hook ended. */
  run(hook: HookPlan, event: RolloutEvent): void {
    if (this.#running >= limits.hooksAtOnce) {
      this.counts.refused++;
      this.#log.error(
        { route: event.route },
        `hook of ${event.route} was not run: ${limits.hooksAtOnce} are running`,
      );
      return;
    }
    this.#running++;
    const body = JSON.stringify(event);
    void (
      hook.kind === 'http'
        ? post(hook.url, body, hook.timeoutMs)
        : this.#execute(hook.command, body, hook.timeoutMs)
    )
      .catch(reasonOf)
      .then((why) => {
        this.#running--;
        this.counts[why === null ? 'ok' : 'failed']++;
        const name = hook.kind === 'http' ? new URL(hook.url).host : hook.command[0];
        const fields = { route: event.route, event: event.event };
        if (why === null) this.#log.info(fields, `hook ${name} took the ${event.event} of ${event.route}`);
        else this.#log.error(fields, `hook ${name} for the ${event.event} of ${event.route} failed: ${why}`);
      });
  }

  /** Resolves with null, or with why it failed. */
  #execute([program, ...words]: readonly string[], body: string, timeoutMs: number): Promise<string | null> {
    if (this.#directory === undefined)
      return Promise.resolve('UMBRA_HOOKS does not name a directory of programs that may run');
    if (program !== basename(program) || program.startsWith('.'))
      return Promise.resolve(`${program} is not the name of a file in UMBRA_HOOKS`);
    return run(join(this.#directory, program), words, body, timeoutMs);
  }
}

/** A process that the program left behind may keep its output open: after the end umbra reads so long. */
const restMs = 200;

/** `run` resolves with null, or with why it failed. The program leads a process group, which is killed. */
function run(
  path: string,
  words: readonly string[],
  body: string,
  timeoutMs: number,
): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn(path, words, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      killGroup(child);
    }, timeoutMs);
    let said = '';
    const listen = (chunk: Buffer): void => {
      said += chunk.toString('utf8').slice(0, limits.hookOutputBytes - said.length);
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.stdin.on('error', () => {});
    child.on('error', (error) => {
      clearTimeout(timer);
      resolve(error.message);
    });
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      const report = (): void => {
        clearTimeout(rest);
        child.stdout.destroy();
        child.stderr.destroy();
        const output = said.trim() === '' ? '' : `: ${printable(said.trim())}`;
        if (isLate) resolve(`no end within ${timeoutMs} ms${output}`);
        else resolve(code === 0 ? null : `${signal ?? `exit code ${code}`}${output}`);
      };
      const rest = setTimeout(report, restMs);
      child.on('close', report);
    });
    child.stdin.end(body);
  });
}

function killGroup({ pid }: ChildProcess): void {
  try {
    process.kill(-pid!, 'SIGKILL');
  } catch {
    // It ended by itself meanwhile.
  }
}

async function post(url: string, body: string, timeoutMs: number): Promise<string | null> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': 'umbra' },
    body,
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  });
  await response.body?.cancel();
  return response.ok ? null : `status ${response.status}`;
}

/** `fetch` names the error of the connection as its cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
