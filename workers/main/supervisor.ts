/**
 * One supervised thread: started, watched, replaced when it fails, with back-off, and taken away in the order
 * that uWS needs (see docs/decisions): out of the acceptors first, then its connections, then the thread.
 */
import { Worker } from 'node:worker_threads';
import { limits } from '../../core/limits.js';
import type { FromThread, ThreadKind, ToThread } from '../protocol/messages.js';

/** The first replacement comes at once, the next ones after doubling pauses. */
const backOffFirstMs = 50;
const backOffMaxMs = 5000;
/** A thread that lived this long is well again: the next failure is a first one. */
const wellAfterMs = 10_000;

export interface ThreadEvents {
  /** Makes `workerData` for the next incarnation; called anew for each. */
  start(incarnation: number): unknown;
  onReady(thread: SupervisedThread, descriptors: readonly unknown[]): void;
  onMessage(thread: SupervisedThread, message: FromThread): void;
  /** The thread is about to leave or has already gone: nothing may be handed to it any more. May be called twice. */
  onLeaving(thread: SupervisedThread): void;
  /** It is gone, and `error` says why if it failed. It will be replaced unless `stop` was called. */
  onGone(thread: SupervisedThread, error: string | null): void;
}

export class SupervisedThread {
  readonly kind: ThreadKind;
  readonly index: number;
  readonly #file: URL;
  readonly #events: ThreadEvents;
  #worker: Worker | null = null;
  #incarnation = 0;
  #failuresInARow = 0;
  #startedAt = 0;
  #error: string | null = null;
  #stopping = false;
  #restartTimer: NodeJS.Timeout | null = null;
  #goneWaiters: (() => void)[] = [];
  ready = false;

  constructor(kind: ThreadKind, index: number, file: URL, events: ThreadEvents) {
    this.kind = kind;
    this.index = index;
    this.#file = file;
    this.#events = events;
  }

  /** `start` was called, if only long ago. */
  get started(): boolean {
    return this.#incarnation > 0;
  }

  /** It has a thread, if only one that is starting. */
  get running(): boolean {
    return this.#worker !== null;
  }

  start(): void {
    this.#restartTimer = null;
    this.#error = null;
    this.#startedAt = performance.now();
    const worker = new Worker(this.#file, {
      name: `${this.kind}-${this.index}`,
      workerData: this.#events.start(this.#incarnation++),
      resourceLimits: { maxYoungGenerationSizeMb: limits.youngGenerationMb },
    });
    this.#worker = worker;
    worker.on('message', (message: FromThread) => this.#onMessage(message));
    worker.on('error', (error) => {
      this.#error ??= error instanceof Error ? (error.stack ?? error.message) : String(error);
    });
    worker.on('exit', () => this.#onExit());
  }

  /** Messages to a thread that is not there are lost: a new incarnation begins with all it needs. */
  post(message: ToThread): void {
    this.#worker?.postMessage(message);
  }

  /** Takes the thread away for good; resolves when it is gone. */
  stop(): Promise<void> {
    this.#stopping = true;
    if (this.#restartTimer !== null) clearTimeout(this.#restartTimer);
    if (this.#worker === null) return Promise.resolve();
    this.#leave();
    return new Promise((resolve) => this.#goneWaiters.push(resolve));
  }

  #onMessage(message: FromThread): void {
    if (message.type === 'ready') {
      this.ready = true;
      this.#events.onReady(this, message.descriptors);
    } else if (message.type === 'failing') {
      this.#error = message.error;
      this.#leave();
    } else {
      this.#events.onMessage(this, message);
    }
  }

  #leave(): void {
    this.ready = false;
    this.#events.onLeaving(this);
    this.post({ type: 'leave' });
  }

  #onExit(): void {
    this.ready = false;
    this.#worker = null;
    this.#events.onLeaving(this);
    this.#events.onGone(this, this.#stopping ? null : (this.#error ?? 'the thread ended by itself'));
    for (const resolve of this.#goneWaiters.splice(0)) resolve();
    if (!this.#stopping) this.#restartTimer = setTimeout(() => this.start(), this.#pauseMs());
  }

  #pauseMs(): number {
    if (performance.now() - this.#startedAt >= wellAfterMs) this.#failuresInARow = 0;
    const failures = this.#failuresInARow++;
    return failures === 0 ? 0 : Math.min(backOffMaxMs, backOffFirstMs * 2 ** (failures - 1));
  }
}
