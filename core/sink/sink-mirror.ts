/** A mirror as a sink thread runs it: the sink, the counters and the bounds. */
import type { MirrorBounds } from '../mirror/bounds.js';
import { type CopiedHead, CopyChange } from '../mirror/copy-change.js';
import type { PlanInForce } from '../mirror/plans-in-force.js';
import type { Random } from '../mirror/trace-fields.js';
import type { MirrorPlan } from '../plan.js';
import type { MirrorCounters } from '../record/mirror-counters.js';
import type { Sink } from './sink.js';

export class SinkMirror {
  readonly plan: MirrorPlan;
  readonly route: string;
  readonly counters: MirrorCounters;
  readonly bounds: MirrorBounds;
  readonly sink: Sink;
  readonly #change: CopyChange;

  constructor(
    plan: MirrorPlan,
    route: string,
    counters: MirrorCounters,
    bounds: MirrorBounds,
    sink: Sink,
    random: Random,
  ) {
    this.plan = plan;
    this.route = route;
    this.counters = counters;
    this.bounds = bounds;
    this.sink = sink;
    this.#change = new CopyChange(plan, route, plan.sink?.name ?? '', random);
  }

  targetFor(target: string): string {
    return this.#change.target(target);
  }

  /**
   * `fieldsFor` returns what a shadow would get, without the mark of a copy: what is played again later is a
   * request like any other.
   */
  fieldsFor(head: CopiedHead): string {
    return this.#change.fields(head);
  }
}

/** A plan as a sink thread runs it. */
export type SinkRuntime = PlanInForce<SinkMirror>;
