/** Processes of a run: started on given CPUs, watched, and stopped by their own pid. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface ChildOptions {
  /** CPU list, null for any. */
  readonly cpus: string | null;
  /** Opens a message channel to a Node child. */
  readonly ipc?: boolean;
  readonly cwd?: string;
}

const stopTimeoutMs = 10_000;
const stderrKeptBytes = 4096;

/** Ended with this process, however it ends. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGTERM');
});

export class Child {
  readonly process: ChildProcess;
  /** The end of what it wrote on stderr, for the message when it fails. */
  stderr = '';

  /** taskset replaces itself by the command, so the pid is the command's own. */
  constructor(command: string, args: readonly string[], { cpus, ipc = false, cwd }: ChildOptions) {
    const [file, words] = cpus === null ? [command, args] : ['taskset', ['-c', cpus, command, ...args]];
    this.process = spawn(file, words, {
      stdio: ipc ? ['ignore', 'pipe', 'pipe', 'ipc'] : ['ignore', 'pipe', 'pipe'],
      ...(cwd === undefined ? {} : { cwd }),
    });
    running.add(this.process);
    this.process.once('exit', () => running.delete(this.process));
    this.process.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-stderrKeptBytes);
    });
    this.process.on('error', (error) => {
      this.stderr += error.message;
    });
  }

  get pid(): number {
    return this.process.pid!;
  }

  get isRunning(): boolean {
    return (
      this.process.pid !== undefined && this.process.exitCode === null && this.process.signalCode === null
    );
  }

  /**
   * The first line on stdout that matches; rejects when it ends or does not come in time. Later lines are
   * discarded.
   */
  line(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => reject(new Error(`${why}${this.lastWords()}`));
      const timer = setTimeout(() => fail(`not ready after ${timeoutMs} ms`), timeoutMs);
      this.process.once('error', (error) => fail(error.message));
      this.process.once('exit', (code, signal) => {
        clearTimeout(timer);
        fail(`it ended with ${signal ?? `code ${code}`}`);
      });
      createInterface({ input: this.process.stdout! }).on('line', (text) => {
        const found = pattern.exec(text);
        if (found === null) return;
        clearTimeout(timer);
        resolve(found);
      });
    });
  }

  /** All of stdout, when it has ended with code 0. */
  async output(): Promise<string> {
    let text = '';
    this.process.stdout!.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    const [code, signal] = await once(this.process, 'close');
    if (code !== 0) throw new Error(`it ended with ${signal ?? `code ${code}`}${this.lastWords()}`);
    return text;
  }

  /** SIGTERM, and SIGKILL if that does not end it. */
  async stop(): Promise<void> {
    if (!this.isRunning) return;
    const ended = once(this.process, 'exit');
    this.process.kill('SIGTERM');
    const timer = setTimeout(() => this.process.kill('SIGKILL'), stopTimeoutMs);
    await ended;
    clearTimeout(timer);
  }

  private lastWords(): string {
    const lines = this.stderr.split('\n').filter((line) => line.trim() !== '');
    // Node prints the stack below the message of an exception, other programs end with what went wrong.
    const last = lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1);
    return last === undefined ? '' : `: ${last.trim()}`;
  }
}

/** A file beside `base` (an `import.meta.url`), as Node is to run it. */
export function beside(name: string, base: string): string {
  return fileURLToPath(new URL(name, base));
}

/**
 * Resolves with the next message of a child that was started with a channel; rejects when it ends instead.
 */
export async function nextMessage<T>(child: Child): Promise<T> {
  const { process } = child;
  const settled = new AbortController();
  const ended = once(process, 'exit', settled).then(() => {
    throw new Error(`it ended: ${child.stderr.trim()}`);
  });
  // It rejects when it is stopped below, and nobody listens any more.
  ended.catch(() => undefined);
  try {
    const [message] = await Promise.race([once(process, 'message', settled), ended]);
    return message as T;
  } finally {
    settled.abort();
  }
}
