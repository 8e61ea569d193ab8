/** The changes that a mirror makes to its copies, for a shadow or a sink: path, trace and fields. */
import { FieldEdits } from '../http/edited-fields.js';
import { FormatSource } from '../http/format-source.js';
import type { MirrorPlan } from '../plan.js';
import { compilePathChange, type TargetChange } from '../route/path-change.js';
import { type Random, withNewTrace, withoutTrace } from './trace-fields.js';

/** The head of a copy before the changes. */
export interface CopiedHead {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly fields: string;
}

export class CopyChange {
  readonly #plan: MirrorPlan;
  readonly #edits: FieldEdits | null;
  /** Values for commands in header values; null when there are none. */
  readonly #source: FormatSource | null;
  readonly #rewrite: TargetChange | null;
  readonly #random: Random;

  /** `route` and `version` are names for commands in header values. */
  constructor(plan: MirrorPlan, route: string, version: string, random: Random) {
    this.#plan = plan;
    this.#edits = FieldEdits.of(plan.headers, 'copy');
    this.#source = this.#edits?.hasCommands === true ? new FormatSource() : null;
    if (this.#source !== null) {
      this.#source.route = route;
      this.#source.version = version;
    }
    this.#rewrite = plan.rewrite === null ? null : compilePathChange(plan.rewrite);
    this.#random = random;
  }

  target(target: string): string {
    return this.#rewrite === null ? target : this.#rewrite(target);
  }

  /** `fields` applies the trace policy before the header edits, so that the edits take precedence. */
  fields(head: CopiedHead): string {
    const { trace } = this.#plan;
    let result = head.fields;
    if (trace === 'drop') result = withoutTrace(result);
    else if (trace === 'new') result = withNewTrace(result, this.#random);
    if (this.#edits === null) return result;
    this.#source?.takeParts(head);
    return this.#edits.apply(result, this.#source);
  }
}
