/** A real `umbra shadow` as a child process. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Output, spawnUmbra, until } from './umbra.js';

export class ShadowProcess {
  /** Resolves with its exit code; null: a signal ended it. */
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcess;
  readonly #output: Output;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#output = new Output(child);
    this.ended = once(child, 'close').then(([code]) => code as number | null);
  }

  /** Does not wait for it. */
  static spawn(from: string, to: string, ...words: string[]): ShadowProcess {
    return new ShadowProcess(spawnUmbra('shadow', '--from', from, '--to', to, ...words));
  }

  /** Resolves when it takes messages; rejects with what it wrote if it ends before. */
  static async start(from: string, to: string, ...words: string[]): Promise<ShadowProcess> {
    const shadow = ShadowProcess.spawn(from, to, ...words);
    let over = false;
    void shadow.ended.then(() => {
      over = true;
    });
    await until(() => over || /^umbra shadow ready /m.test(shadow.out), 'umbra shadow is ready');
    if (over) throw new Error(`umbra shadow ended:\n${shadow.out}${shadow.err}`);
    return shadow;
  }

  get out(): string {
    return this.#output.out;
  }

  get err(): string {
    return this.#output.err;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** SIGTERM, and resolves with the exit code. */
  stop(): Promise<number | null> {
    this.signal('SIGTERM');
    return this.ended;
  }

  /** Resolves with what it has when it says so. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    return until(() => pattern.exec(this.out + this.err), `umbra shadow says ${pattern}`);
  }
}
