/** Main's end of the control thread: started, told what to observe, answered when a person asks for a change. */
import { Worker } from 'node:worker_threads';
import { limits } from '../../core/limits.js';
import type { ObservedBlocks } from '../../core/report/observed.js';
import type { KeptMark } from '../control/histogram-log.js';
import { entryFile } from '../protocol/entry.js';
import type {
  ChangeAnswer,
  ChangeAsk,
  ControlStart,
  FromControl,
  LogMessage,
  ToControl,
} from '../protocol/messages.js';

/** A control thread that failed is replaced after this long; nothing of the data plane hangs on it. */
const restartMs = 500;

export interface ControlEvents {
  change(ask: ChangeAsk): Promise<ChangeAnswer>;
  onLog(message: LogMessage): void;
}

export class ControlThread {
  readonly #start: () => Omit<ControlStart, 'marks'>;
  readonly #events: ControlEvents;
  #worker: Worker | null = null;
  #ready = false;
  #stopping = false;
  #restartTimer: NodeJS.Timeout | null = null;
  /** Of histogram logs: the memory outlives the thread that writes them. */
  readonly #marks: KeptMark[] = [];
  #observingWaiters: { readonly generation: number; readonly resolve: () => void }[] = [];
  /** Where the admin API listens, null where it is switched off. */
  address: string | null = null;

  /** `start` makes what a new control thread begins with; called again for each replacement. */
  constructor(start: () => Omit<ControlStart, 'marks'>, events: ControlEvents) {
    this.#start = start;
    this.#events = events;
  }

  /** Resolves when the admin API listens; rejects with one line that names its address if it can't. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const worker = new Worker(entryFile('control/control'), {
        name: 'control',
        workerData: { ...this.#start(), marks: this.#marks } satisfies ControlStart,
        resourceLimits: { maxYoungGenerationSizeMb: limits.youngGenerationMb },
      });
      this.#worker = worker;
      worker.on('message', (message: FromControl) => {
        if (message.type === 'listening') {
          this.address = message.address;
          this.#post({ type: 'ready', ready: this.#ready });
          resolve();
        } else if (message.type === 'refused') {
          reject(new Error(message.message));
        } else {
          this.#onMessage(message);
        }
      });
      worker.on('error', (error) =>
        this.#complain(String(error instanceof Error ? (error.stack ?? error) : error)),
      );
      worker.on('exit', () => {
        this.#worker = null;
        reject(new Error('the control thread ended while it was starting'));
        this.#releaseWaiters(Number.POSITIVE_INFINITY);
        if (this.address !== null && !this.#stopping) this.#restartSoon();
      });
    });
  }

  setReady(ready: boolean): void {
    this.#ready = ready;
    this.#post({ type: 'ready', ready });
  }

  /** The access log's file was moved away: the next line goes to a new one of its name. */
  reopenLog(): void {
    this.#post({ type: 'reopenLog' });
  }

  followAgain(): void {
    this.#post({ type: 'followAgain' });
  }

  closeAdmin(): void {
    this.#post({ type: 'closeAdmin' });
  }

  /** Resolves when the control thread shows the new plan. */
  observe(observed: ObservedBlocks): Promise<void> {
    if (this.#worker === null) return Promise.resolve();
    this.#post({ type: 'observe', observed });
    return new Promise((resolve) => {
      this.#observingWaiters.push({ generation: observed.plan.generation, resolve });
    });
  }

  stop(): Promise<void> {
    this.#stopping = true;
    if (this.#restartTimer !== null) clearTimeout(this.#restartTimer);
    const worker = this.#worker;
    if (worker === null) return Promise.resolve();
    this.#post({ type: 'leave' });
    return new Promise((resolve) => worker.once('exit', () => resolve()));
  }

  /** One that ends while it starts is noticed twice, and must not be replaced by two. */
  #restartSoon(): void {
    this.#restartTimer ??= setTimeout(() => this.#restart(), restartMs);
  }

  #restart(): void {
    this.#restartTimer = null;
    if (this.#stopping) return;
    this.start().catch((error: unknown) => {
      this.#complain(error instanceof Error ? error.message : String(error));
      if (this.#worker === null) this.#restartSoon();
    });
  }

  #onMessage(message: FromControl): void {
    if (message.type === 'log') this.#events.onLog(message);
    else if (message.type === 'observing') this.#releaseWaiters(message.generation);
    else if (message.type === 'mark') this.#marks.push(message.mark);
    else if (message.type === 'ask') {
      void this.#events
        .change(message.ask)
        .then((answer) => this.#post({ type: 'answer', id: message.id, answer }));
    }
  }

  #releaseWaiters(generation: number): void {
    const waiting = this.#observingWaiters;
    this.#observingWaiters = waiting.filter((waiter) => waiter.generation > generation);
    for (const waiter of waiting) if (waiter.generation <= generation) waiter.resolve();
  }

  #complain(error: string): void {
    this.#events.onLog({
      type: 'log',
      level: 'error',
      message: 'the control thread failed and is being replaced',
      fields: { error },
    });
  }

  #post(message: ToControl): void {
    this.#worker?.postMessage(message);
  }
}
