/**
 * Edits of field lines, compiled when their plan is loaded. The added lines are one constant text, unless a
 * value has commands (core/http/value-format).
 */
import type { HeaderEdits } from '../plan.js';
import { withoutFields } from './field-edits.js';
import type { FormatSource } from './format-source.js';
import { compileFormat, type Format, type FormatPlace } from './value-format.js';

interface Line {
  readonly names: readonly [lowerName: string];
  readonly format: Format;
  readonly replaces: boolean;
}

export class FieldEdits {
  readonly #place: FormatPlace;
  readonly #removed: readonly string[];
  /** Names of the fields that are removed or replaced. */
  readonly #gone: readonly string[];
  /** Null when a value has commands. */
  readonly #constant: string | null;
  readonly #lines: readonly Line[];

  constructor({ remove, set, add }: HeaderEdits, place: FormatPlace) {
    this.#place = place;
    this.#removed = remove;
    this.#gone = [...remove, ...set.map(([name]) => name)];
    const line = ([name, value]: readonly [string, string], replaces: boolean): Line => {
      return { names: [name], format: compileFormat(value, place), replaces };
    };
    this.#lines = [...set.map((one) => line(one, true)), ...add.map((one) => line(one, false))];
    const isConstant = this.#lines.every(({ format }) => format.constant !== null);
    this.#constant = isConstant ? this.#lines.map(constantLine).join('') : null;
  }

  /** `of` returns null when there is nothing to edit. */
  static of(edits: HeaderEdits | null, place: FormatPlace): FieldEdits | null {
    if (edits === null || edits.remove.length + edits.set.length + edits.add.length === 0) return null;
    return new FieldEdits(edits, place);
  }

  /** A value has commands, so `apply` needs a source. */
  get hasCommands(): boolean {
    return this.#constant === null;
  }

  /**
   * `apply` removes, then sets, then adds. Commands see the fields that remain after removing. An empty value
   * leaves its field unchanged, as in Envoy.
   */
  apply(fields: string, source: FormatSource | null): string {
    if (this.#constant !== null) {
      return (this.#gone.length === 0 ? fields : withoutFields(fields, this.#gone)) + this.#constant;
    }
    const kept = this.#removed.length === 0 ? fields : withoutFields(fields, this.#removed);
    if (this.#place === 'response') source!.responseFields = kept;
    else source!.fields = kept;
    let rest = kept;
    let lines = '';
    for (const { names, format, replaces } of this.#lines) {
      const value = format.constant ?? format.text(source!);
      if (value === '' && format.constant === null) continue;
      if (replaces) rest = withoutFields(rest, names);
      lines += `${names[0]}: ${value}\r\n`;
    }
    return rest + lines;
  }
}

/** `editedFields` applies each of the edits to `fields`, in their order. */
export function editedFields(
  fields: string,
  edits: readonly FieldEdits[],
  source: FormatSource | null,
): string {
  let result = fields;
  for (let i = 0; i < edits.length; i++) result = edits[i]!.apply(result, source);
  return result;
}

function constantLine({ names, format }: Line): string {
  return `${names[0]}: ${format.constant}\r\n`;
}
