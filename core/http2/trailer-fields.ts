import { forwardableTrailers } from '../http/trailers.js';
import { type Field, Meaning } from './field.js';
import type { FieldSink } from './hpack-decoder.js';

/** `TrailerFields` reads the trailers of a message (RFC 9113, section 8.1). There is one per thread. */
export class TrailerFields implements FieldSink {
  #lines = '';
  #isMalformed = false;

  begin(): void {
    this.#lines = '';
    this.#isMalformed = false;
  }

  onField({ meaning, line }: Field): void {
    if (line === '' || meaning === Meaning.CONNECTION || meaning === Meaning.DISGUISE)
      this.#isMalformed = true;
    this.#lines += line;
  }

  /** Returns the lines to forward, or null if they are malformed. */
  complete(): string | null {
    return this.#isMalformed ? null : forwardableTrailers(this.#lines, '');
  }
}

/** `ignoringFields` discards fields of a block that is decoded only for the table. */
export const ignoringFields: FieldSink = {
  onField(): void {},
};
