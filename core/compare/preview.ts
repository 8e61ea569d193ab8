/** An object or array as text, redacted inside, and hardly longer than a sample shows. */
import { limits } from '../limits.js';
import { type Redaction, redacted, searchedChars } from '../redact.js';
import { type Json, JsonNumber } from './json.js';
import type { PathState } from './json-path.js';

/** `secret` is the state of the redaction's paths at the value. */
export function preview(value: Json, secret: PathState, redaction: Redaction): string {
  const text = new Preview(redaction);
  text.add(value, secret);
  return text.text;
}

class Preview {
  text = '';
  readonly #redaction: Redaction;

  constructor(redaction: Redaction) {
    this.#redaction = redaction;
  }

  add(value: Json, secret: PathState): void {
    if (this.text.length > limits.diffValueChars) return;
    if (value instanceof JsonNumber) this.text += value.text;
    else if (Array.isArray(value)) this.#list('[', ']', value.entries(), secret, () => '');
    else if (value instanceof Map) {
      this.#list('{', '}', value.entries(), secret, (name) => `${JSON.stringify(name)}:`);
    } else {
      this.text += JSON.stringify(
        typeof value === 'string' ? this.#redaction.text(value.slice(0, searchedChars)) : value,
      );
    }
  }

  #list<K extends string | number>(
    open: string,
    close: string,
    entries: Iterable<[K, Json]>,
    secret: PathState,
    label: (key: K) => string,
  ): void {
    const redaction = this.#redaction;
    this.text += open;
    let first = true;
    for (const [key, value] of entries) {
      if (this.text.length > limits.diffValueChars) return;
      if (!first) this.text += ',';
      first = false;
      this.text += label(key);
      const state = redaction.paths.step(secret, key);
      const hides = typeof key === 'string' ? redaction.hidesMember(key, state) : redaction.paths.hits(state);
      if (hides) this.text += JSON.stringify(redacted);
      else this.add(value, state);
    }
    this.text += close;
  }
}
