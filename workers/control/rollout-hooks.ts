/**
 * Runs the hooks of rollouts: a program, or a POST request. Nothing waits for them. A program is a file of
 * the directory that UMBRA_HOOKS names, so that who may change the configuration can't run any program; no
 * shell reads its arguments. Control thread.
 */
import { spawn } from 'node:child_process';
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
      .catch((error: unknown) => (error as Error).message)
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
    const path = join(this.#directory, program);
    return new Promise((resolve) => {
      const child = spawn(path, words, {
        stdio: ['pipe', 'pipe', 'pipe'],
        timeout: timeoutMs,
        killSignal: 'SIGKILL',
      });
      let said = '';
      const listen = (chunk: Buffer): void => {
        if (said.length < limits.hookOutputBytes)
          said += chunk.toString('utf8').slice(0, limits.hookOutputBytes);
      };
      child.stdout.on('data', listen);
      child.stderr.on('data', listen);
      child.stdin.on('error', () => {});
      child.on('error', (error) => resolve(error.message));
      // A process that the program left behind may keep its output open, so this is not `close`.
      child.on('exit', (code, signal) => {
        const words = said.trim() === '' ? '' : `: ${printable(said.trim())}`;
        if (code === 0) resolve(null);
        else resolve(signal === null ? `exit code ${code}${words}` : `no end within ${timeoutMs} ms${words}`);
        child.stdout.destroy();
        child.stderr.destroy();
      });
      child.stdin.end(body);
    });
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
