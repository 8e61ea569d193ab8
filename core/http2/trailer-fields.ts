import { forwardableTrailers } from '../http/trailers.js';
import { type Field, Meaning } from './field.js';
import type { FieldSink } from './hpack-decoder.js';

/** Reads the trailers of one message (RFC 9113, section 8.1). One per thread. */
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

  /** The lines that go on; null: malformed. */
  complete(): string | null {
    return this.#isMalformed ? null : forwardableTrailers(this.#lines, '');
  }
}

/** Takes the fields of a block that nobody wants: it is decoded because later ones refer to it. */
export const ignoringFields: FieldSink = {
  onField(): void {},
};
