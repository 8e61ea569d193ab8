/** The changes that a mirror makes to its copies, for a shadow or a sink: path, trace and fields. */
import { applyEdits, isEmpty } from '../http/field-edits.js';
import type { MirrorPlan } from '../plan.js';
import { compilePathChange, type TargetChange } from '../route/path-change.js';
import { type Random, withNewTrace, withoutTrace } from './trace-fields.js';

export class CopyChange {
  readonly #plan: MirrorPlan;
  readonly #editsFields: boolean;
  readonly #rewrite: TargetChange | null;
  readonly #random: Random;

  constructor(plan: MirrorPlan, random: Random) {
    this.#plan = plan;
    this.#editsFields = !isEmpty(plan.headers);
    this.#rewrite = plan.rewrite === null ? null : compilePathChange(plan.rewrite);
    this.#random = random;
  }

  target(target: string): string {
    return this.#rewrite === null ? target : this.#rewrite(target);
  }

  /** The trace policy comes first, so that header edits have the last word. */
  fields(fields: string): string {
    const { trace, headers } = this.#plan;
    let result = fields;
    if (trace === 'drop') result = withoutTrace(result);
    else if (trace === 'new') result = withNewTrace(result, this.#random);
    return this.#editsFields ? applyEdits(result, headers) : result;
  }
}
