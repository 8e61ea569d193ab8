/**
 * One supervised thread: it is started, watched, replaced with back-off when it fails, and stopped. A thread
 * of the uws engine must leave in a fixed order: first the acceptors, then its connections, then the thread
 * (docs/decisions/010-uws-engine.md). Each step has a time limit, after which the thread is terminated.
 */
import { Worker } from 'node:worker_threads';
import { limits } from '../../core/limits.js';
import { type Entry, entryFile } from '../protocol/entry.js';
import type { Failing } from '../protocol/messages.js';

/** The first replacement starts at once, the next ones after doubling pauses. */
const backOffFirstMs = 50;
const backOffMaxMs = 5000;
/** A thread that lived this long counts as healthy: its next failure is a first one. */
const wellAfterMs = 10_000;

export interface ThreadEvents<Ready, Message> {
  /** Returns `workerData` for the next incarnation. */
  start(incarnation: number): unknown;
  onReady(message: Ready): void;
  onMessage(message: Message): void;
  /** The thread is about to leave or has already gone, and must get no more work. May be called twice. */
  onLeaving(): void;
  /** The thread exceeded the limit in `reason`, and is being terminated. `onGone` follows. */
  onTerminated(reason: string): void;
  /**
   * The thread is gone. `error` is the reason of a failure; the thread is then replaced unless `stop` was
   * called.
   */
  onGone(error: string | null): void;
}

/**
 * `Ready` is the thread's message that it works, `Message` any other message, and `Order` a message to it.
 */
export class SupervisedThread<Ready extends { type: 'ready' }, Message extends { type: string }, Order> {
  readonly name: string;
  readonly #entry: Entry;
  readonly #events: ThreadEvents<Ready, Message>;
  #worker: Worker | null = null;
  #incarnation = 0;
  #failuresInARow = 0;
  #startedAt = 0;
  #error: string | null = null;
  #stopping = false;
  #restartTimer: NodeJS.Timeout | undefined;
  /** Runs while the thread starts and while it leaves. */
  #limitTimer: NodeJS.Timeout | undefined;
  #goneWaiters: (() => void)[] = [];
  ready = false;

  constructor(name: string, entry: Entry, events: ThreadEvents<Ready, Message>) {
    this.name = name;
    this.#entry = entry;
    this.#events = events;
  }

  /** True after `start` was called, however long ago. */
  get started(): boolean {
    return this.#incarnation > 0;
  }

  /** True while there is a thread, even one that is starting. */
  get running(): boolean {
    return this.#worker !== null;
  }

  /** True from `start` until `stop`, also while the thread is being replaced. */
  get wanted(): boolean {
    return this.started && !this.#stopping;
  }

  start(): void {
    this.#error = null;
    this.#startedAt = performance.now();
    let worker: Worker;
    try {
      worker = new Worker(entryFile(this.#entry), {
        name: this.name,
        workerData: this.#events.start(this.#incarnation++),
        resourceLimits: { maxYoungGenerationSizeMb: limits.youngGenerationMb },
      });
    } catch (error) {
      // The system has no file descriptors or no memory for another thread.
      this.#error = String(error);
      setImmediate(() => this.#onExit());
      return;
    }
    this.#worker = worker;
    this.#limit(limits.threadStartMs, 'start');
    worker.on('message', (message: Ready | Failing | Message) => this.#onMessage(message));
    worker.on('error', (error) => {
      this.#error ??= error instanceof Error ? (error.stack ?? error.message) : String(error);
    });
    worker.on('exit', () => this.#onExit());
  }

  /**
   * `post` loses messages to a thread that is gone: a new incarnation begins with everything that it needs.
   */
  post(message: Order | { type: 'leave' }): void {
    this.#worker?.postMessage(message);
  }

  /**
   * `stop` ends the thread permanently. It resolves when the thread is gone, soon after `withinMs` at the
   * latest.
   */
  stop(withinMs: number = limits.threadLeaveMs): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restartTimer);
    if (this.#worker === null) return Promise.resolve();
    const gone = new Promise<void>((resolve) => this.#goneWaiters.push(resolve));
    this.#leave(withinMs);
    return gone;
  }

  /** `terminate` ends the thread without its cooperation. It is replaced like one that failed. */
  terminate(reason: string): void {
    if (this.#worker === null) return;
    this.#error ??= reason;
    this.ready = false;
    this.#events.onLeaving();
    this.#events.onTerminated(reason);
    void this.#worker.terminate();
  }

  #onMessage(message: Ready | Failing | Message): void {
    if (message.type === 'ready') {
      clearTimeout(this.#limitTimer);
      this.ready = true;
      this.#events.onReady(message as Ready);
    } else if (message.type === 'failing') {
      this.#error = (message as Failing).error;
      this.#leave(limits.threadLeaveMs);
    } else {
      this.#events.onMessage(message as Message);
    }
  }

  #leave(withinMs: number): void {
    this.ready = false;
    this.#limit(withinMs, 'stop');
    this.#events.onLeaving();
    this.post({ type: 'leave' });
  }

  #limit(withinMs: number, step: 'start' | 'stop'): void {
    clearTimeout(this.#limitTimer);
    this.#limitTimer = setTimeout(
      () => this.terminate(`the thread did not ${step} within ${withinMs} ms`),
      withinMs,
    );
  }

  #onExit(): void {
    clearTimeout(this.#limitTimer);
    this.ready = false;
    this.#worker = null;
    this.#events.onLeaving();
    this.#events.onGone(this.#stopping ? null : (this.#error ?? 'the thread ended unexpectedly'));
    for (const resolve of this.#goneWaiters.splice(0)) resolve();
    if (!this.#stopping) this.#restartTimer = setTimeout(() => this.start(), this.#pauseMs());
  }

  #pauseMs(): number {
    if (performance.now() - this.#startedAt >= wellAfterMs) this.#failuresInARow = 0;
    const failures = this.#failuresInARow++;
    return failures === 0 ? 0 : Math.min(backOffMaxMs, backOffFirstMs * 2 ** (failures - 1));
  }
}

/** `messageOf` returns the first line of an error's stack without the error's class. */
export function messageOf(stack: string): string {
  const end = stack.indexOf('\n');
  return (end < 0 ? stack : stack.slice(0, end)).replace(/^\w*Error: /, '');
}
