/**
 * Live changes for code on the control thread, such as the driver of rollouts. A change of one route is
 * atomic: main writes it to where live changes are kept, and then every thread applies one plan with all of
 * it. Control thread only.
 *
 *   const answer = await liveChanges.setLive(
 *     'reviews',
 *     { weights: { v1: 95, v2: 5 }, mirrors: { v1: { percent: 100, methods: 'safe' } }, rollout: record },
 *     'rollout',
 *   );
 *   if (!answer.ok) …                 // nothing was changed; `status` and `message` say why
 *   answer.generation                 // every thread has applied this plan
 *   answer.kept                       // false: in force, but would be lost with the process
 */
import { type LiveCause, type LiveState, rolloutOf } from '../../core/live/live-state.js';
import type { LiveAsk, LiveView, RouteChange } from '../protocol/live-change.js';
import type { ChangeAnswer } from '../protocol/messages.js';

export type LiveListener = (view: LiveView) => void;

export class LiveChanges {
  readonly #ask: (ask: LiveAsk) => Promise<ChangeAnswer>;
  readonly #listeners = new Set<LiveListener>();
  #view: LiveView;

  constructor(ask: (ask: LiveAsk) => Promise<ChangeAnswer>, view: LiveView) {
    this.#ask = ask;
    this.#view = view;
  }

  /** What is in force, with the records of rollouts; that of a thread before this one, too. */
  get view(): LiveView {
    return this.#view;
  }

  get state(): LiveState {
    return this.#view.state;
  }

  /** The record that was set last for a route, after a restart too; undefined: there is none. */
  rollout(route: string): unknown {
    return rolloutOf(this.#view.state, route);
  }

  /**
   * `setLive` resolves when every thread of this instance has applied the change; other instances of a fleet
   * follow within a second or so. It never rejects: an answer with `ok: false` has the reason, and nothing
   * was changed here. In a fleet whose bucket can't be reached the change is made on this instance alone and
   * shared later, or with `mustShare` refused with 503. Even then the bucket may have it, if only its answer
   * was lost; `onChange` shows it.
   */
  setLive(route: string, change: RouteChange, by: LiveCause, mustShare = false): Promise<ChangeAnswer> {
    return this.#ask({ what: 'live', route, change, by, mustShare });
  }

  /**
   * `onChange` calls `listener` after each plan, whoever changed it. `by` and `atMs` of a change show whether
   * a person has changed what a rollout had set.
   */
  onChange(listener: LiveListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** `follow` is called with each plan that is observed. */
  follow(view: LiveView): void {
    this.#view = view;
    for (const listener of this.#listeners) listener(view);
  }
}
