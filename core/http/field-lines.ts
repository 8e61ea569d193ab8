import { lineEnd, nameIs } from './fields.js';
import type { Span } from './span.js';

const COLON = 0x3a;
/** More lines than a browser sends; those behind them are looked for each time. */
const LINES_KEPT = 64;

/** Where the lines of one request's fields begin, found once, for owners that look for several names. Reused. */
export class FieldLines {
  #fields = '';
  /** The last one is where the lines begin that are not kept. */
  readonly #starts = new Int32Array(LINES_KEPT + 1);
  #count = 0;

  /** `fields` is a wire string of field lines, as in `fieldValue`. */
  read(fields: string): void {
    const starts = this.#starts;
    let line = 0;
    let count = 0;
    while (line < fields.length && count < LINES_KEPT) {
      line = lineEnd(fields, line) + 1;
      starts[++count] = line;
    }
    this.#fields = fields;
    this.#count = count;
  }

  /** Sets `span` to the value of the first field named `lowerName`, as `fieldValue` tells it; false: there is none. */
  find(lowerName: string, span: Span): boolean {
    const fields = this.#fields;
    const starts = this.#starts;
    const count = this.#count;
    for (let i = 0; i < count; i++) {
      const line = starts[i]!;
      if (isNamed(fields, line, lowerName)) {
        span.setTrimmed(fields, line + lowerName.length + 1, starts[i + 1]! - 1);
        return true;
      }
    }
    for (let line = starts[count]!; line < fields.length; line = lineEnd(fields, line) + 1) {
      if (isNamed(fields, line, lowerName)) {
        span.setTrimmed(fields, line + lowerName.length + 1, lineEnd(fields, line));
        return true;
      }
    }
    return false;
  }
}

/** A colon can't be part of a name, so most lines are told apart by this one byte. */
function isNamed(fields: string, line: number, lowerName: string): boolean {
  return fields.charCodeAt(line + lowerName.length) === COLON && nameIs(fields, line, lowerName);
}
