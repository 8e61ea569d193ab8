/** A plan as a sink thread runs it: for each mirror slot the sink, the ledger and the bounds. */
import { applyEdits, isEmpty } from '../http/field-edits.js';
import type { MirrorBounds } from '../mirror/bounds.js';
import { compileRewrite, type TargetRewrite } from '../mirror/path-rewrite.js';
import { type Random, withNewTrace, withoutTrace } from '../mirror/trace-fields.js';
import type { MirrorPlan } from '../plan.js';
import type { MirrorLedger } from '../record/mirror-ledger.js';
import type { Sink } from './sink.js';

export class SinkMirror {
  readonly plan: MirrorPlan;
  readonly route: string;
  readonly ledger: MirrorLedger;
  readonly bounds: MirrorBounds;
  readonly sink: Sink;
  readonly #editsFields: boolean;
  readonly #rewrite: TargetRewrite | null;
  readonly #random: Random;

  constructor(
    plan: MirrorPlan,
    route: string,
    ledger: MirrorLedger,
    bounds: MirrorBounds,
    sink: Sink,
    random: Random,
  ) {
    this.plan = plan;
    this.route = route;
    this.ledger = ledger;
    this.bounds = bounds;
    this.sink = sink;
    this.#editsFields = !isEmpty(plan.headers);
    this.#rewrite = compileRewrite(plan.rewrite);
    this.#random = random;
  }

  targetFor(target: string): string {
    return this.#rewrite === null ? target : this.#rewrite(target);
  }

  /** As for a shadow, but without the mark of a copy: what is played again later is a request like any other. */
  fieldsFor(fields: string): string {
    let result = fields;
    if (this.plan.trace === 'drop') result = withoutTrace(result);
    else if (this.plan.trace === 'new') result = withNewTrace(result, this.#random);
    return this.#editsFields ? applyEdits(result, this.plan.headers) : result;
  }
}

export interface SinkRuntime {
  readonly generation: number;
  /** By slot; a slot whose mirror is not in this plan, or has no sink, is undefined. */
  readonly mirrors: readonly (SinkMirror | undefined)[];
  /** By slot, of every mirror that the process ever had: what can't be served must still be counted. */
  readonly ledgers: readonly (MirrorLedger | undefined)[];
}
