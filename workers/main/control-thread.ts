/** Main's side of the control thread: it sends what to observe, and receives requests for changes. */
import { limits } from '../../core/limits.js';
import { ThreadCounters, ThreadField } from '../../core/record/thread-counters.js';
import type { EndpointErrors } from '../../core/report/endpoint-errors.js';
import type { ObservedBlocks } from '../../core/report/observed.js';
import type { KeptMark } from '../control/histogram-log.js';
import type { LiveView, ShareResult } from '../protocol/live-change.js';
import type {
  ChangeAnswer,
  ChangeAsk,
  ControlStart,
  FromControl,
  LogMessage,
  ToControl,
} from '../protocol/messages.js';
import { Condition } from './condition.js';
import { messageOf, SupervisedThread } from './supervised-thread.js';
import type { WatchedThread } from './thread-watch.js';

type ControlReady = Extract<FromControl, { type: 'ready' }>;
type ControlMessage = Exclude<FromControl, { type: 'ready' | 'failing' }>;
/** The part of a start that this class does not know. */
export type ControlBasis = Omit<ControlStart, 'marks' | 'adminPort' | 'threadCounters'>;

export interface ControlEvents {
  change(ask: ChangeAsk): Promise<ChangeAnswer>;
  onLog(message: LogMessage): void;
}

export class ControlThread {
  /** The thread's block of counters, which outlives it. */
  readonly shared = ThreadCounters.create();
  readonly #counters = new ThreadCounters(this.shared);
  readonly #events: ControlEvents;
  readonly #thread: SupervisedThread<ControlReady, ControlMessage, ToControl>;
  readonly #changed = new Condition();
  /** How far the histogram logs are written, so that a successor continues there. */
  readonly #marks: KeptMark[] = [];
  /** What waits for the bucket of a fleet. */
  readonly #shares = new Map<number, (result: ShareResult) => void>();
  #lastShare = 0;
  #serving = false;
  #observedGeneration = 0;
  #startFailure: string | null = null;
  /** Where the admin API listened first, null when it is off; undefined before that. */
  #ready: ControlReady | undefined;

  /** `basis` returns the start of a control thread. It is called again for each replacement. */
  constructor(basis: () => ControlBasis, events: ControlEvents) {
    this.#events = events;
    this.#thread = new SupervisedThread('control', 'control/control', {
      start: (): ControlStart => {
        const start = basis();
        this.#observedGeneration = start.observed.plan.generation;
        return {
          ...start,
          marks: this.#marks,
          adminPort: this.#ready?.port ?? null,
          threadCounters: this.shared,
        };
      },
      onReady: (message) => this.#onReady(message),
      onMessage: (message) => this.#onMessage(message),
      onLeaving: () => {},
      onTerminated: (reason) => {
        this.#counters.add(ThreadField.terminations);
        this.#log(`the control thread was terminated: ${reason}`, {});
      },
      onGone: (error) => this.#onGone(error),
    });
  }

  /** Where the admin API listens; null when it is off. */
  get address(): string | null {
    return this.#ready?.address ?? null;
  }

  /**
   * `start` resolves when the admin API listens. It rejects with one line that names the address if it can't.
   */
  async start(): Promise<void> {
    this.#thread.start();
    await this.#changed.until(() => this.#ready !== undefined || this.#startFailure !== null);
    if (this.#startFailure !== null) throw new Error(this.#startFailure);
  }

  /** `showErrors` passes on the latest error of each endpoint. */
  showErrors(errors: EndpointErrors): void {
    this.#thread.post({ type: 'endpointErrors', errors });
  }

  /** `watched` returns this thread while it should run. */
  watched(): readonly WatchedThread[] {
    return this.#thread.wanted ? [{ name: 'the control thread', counters: this.shared }] : [];
  }

  /** `setServing` sets the answer of `/readyz`. */
  setServing(serving: boolean): void {
    this.#serving = serving;
    this.#thread.post({ type: 'serving', serving });
  }

  /**
   * `reopenLog` is called after the access log's file was moved. The next line goes to a new file of the same
   * name.
   */
  reopenLog(): void {
    this.#thread.post({ type: 'reopenLog' });
  }

  followAgain(): void {
    this.#thread.post({ type: 'followAgain' });
  }

  closeAdmin(): void {
    this.#thread.post({ type: 'closeAdmin' });
  }

  /**
   * `observe` resolves when the control thread shows the new plan, or is gone: its successor begins with the
   * newest plan.
   */
  async observe(observed: ObservedBlocks, live: LiveView): Promise<void> {
    const { generation } = observed.plan;
    const holds = () => this.#observedGeneration >= generation || !this.#thread.running;
    this.#thread.post({ type: 'observe', observed, live });
    if (await this.#changed.until(holds, limits.threadAnswerMs)) return;
    this.#thread.terminate(`the thread did not apply a plan within ${limits.threadAnswerMs} ms`);
  }

  /**
   * `share` writes live changes to the bucket of the plan. It resolves soon, also without a control thread.
   */
  share(text: string, revision: number): Promise<ShareResult> {
    const id = ++this.#lastShare;
    return new Promise((resolve) => {
      const late = setTimeout(() => {
        this.#shares.delete(id);
        resolve({ kind: 'failed', reason: 'the control thread did not answer' });
      }, limits.shareLiveMs * 2);
      this.#shares.set(id, (result) => {
        clearTimeout(late);
        resolve(result);
      });
      this.#thread.post({ type: 'share', id, text, revision });
    });
  }

  stop(): Promise<void> {
    return this.#thread.stop(limits.controlLeaveMs);
  }

  /** `countShortage` counts that the process had no file descriptor left. */
  countShortage(): void {
    this.#counters.add(ThreadField.descriptorShortages);
  }

  #onReady(message: ControlReady): void {
    this.#ready = message;
    this.#thread.post({ type: 'serving', serving: this.#serving });
    this.#changed.notify();
  }

  #onMessage(message: ControlMessage): void {
    if (message.type === 'log') this.#events.onLog(message);
    else if (message.type === 'mark') this.#marks.push(message.mark);
    else if (message.type === 'observing') {
      this.#observedGeneration = message.generation;
      this.#changed.notify();
    } else if (message.type === 'shared') {
      this.#shares.get(message.id)?.(message.result);
      this.#shares.delete(message.id);
    } else {
      const { id, ask } = message;
      void this.#events.change(ask).then((answer) => this.#thread.post({ type: 'answer', id, answer }));
    }
  }

  #onGone(error: string | null): void {
    this.#counters.resetGauges();
    if (error !== null && this.#ready === undefined) {
      this.#startFailure ??= messageOf(error);
    } else if (error !== null) {
      this.#counters.add(ThreadField.restarts);
      this.#log('the control thread failed and is being replaced', { error });
    }
    this.#changed.notify();
  }

  #log(message: string, fields: LogMessage['fields']): void {
    this.#events.onLog({ type: 'log', level: 'error', message, fields });
  }
}
