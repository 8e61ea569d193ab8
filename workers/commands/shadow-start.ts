/** The start of `umbra shadow`: what it prints until its group is there, and why it may fail. */
import type { CommandIo } from '../../config/commands/index.js';
import type { ShadowOptions } from '../../config/commands/shadow.js';
import { limits } from '../../core/limits.js';
import type { GroupTrouble } from '../nats/stream-group.js';

/** Reports the start until the group is there for the first time, and its troubles later. */
export class ShadowStart {
  readonly #options: ShadowOptions;
  readonly #metricsPort: number | null;
  readonly #fail: (failure: string) => void;
  readonly #io: CommandIo;
  readonly #say: (line: string) => void;
  readonly #tooLate: NodeJS.Timeout;
  #why = '';
  #opened = false;

  constructor(
    options: ShadowOptions,
    metricsPort: number | null,
    fail: (failure: string) => void,
    io: CommandIo,
    say: (line: string) => void,
  ) {
    this.#options = options;
    this.#metricsPort = metricsPort;
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
    const { group, to, timeoutMs, output } = this.#options;
    this.over();
    const target = 'url' in to ? to.url : to.version;
    const metrics = this.#metricsPort === null ? '' : ` metrics=${this.#metricsPort}`;
    const ready = `umbra shadow ready stream=${stream} group=${group} to=${target}${metrics} pid=${process.pid}`;
    if (this.#opened) this.#say(`taking messages of ${stream} again`);
    // JSON has standard output to itself.
    else if (output === 'json') this.#io.err(ready);
    else this.#io.out(ready);
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
