/**
 * Counts the values and the depth of a document while it is read, so that no input makes a reader run
 * away.
 */
import { limits } from '../limits.js';
import { JsonFault } from './json.js';

export class DocumentBounds {
  #values = 0;

  /** Throws `JsonFault` past either bound. `position` is where the value is. */
  value(depth: number, position: number): void {
    if (depth > limits.jsonDepth) throw new JsonFault('too-deep', position);
    if (++this.#values > limits.jsonValues) throw new JsonFault('too-many-values', position);
  }
}

/** The document is not what its type says. */
export function invalidDocument(position: number): JsonFault {
  return new JsonFault('invalid-document', position);
}

/** Bytes without a text of their own, as a document shows them. */
export function bytesText(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`;
}
