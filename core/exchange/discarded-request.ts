/**
 * A request that no version receives. Its body is read and discarded, so that its connection can be used
 * after the answer.
 */
import { Framing, type RequestHead } from '../http/message.js';
import { limits } from '../limits.js';
import type { RequestSink } from './downstream.js';

/**
 * `isAnsweredAtOnce` returns true when the answer need not wait for the body: there is none, the client waits
 * for a 100 before it sends it, or it is too large.
 */
export function isAnsweredAtOnce({ framing, contentLength, expectsContinue }: RequestHead): boolean {
  if (framing === Framing.NONE || expectsContinue) return true;
  return framing === Framing.LENGTH && contentLength > limits.discardedBodyBytes;
}

export class DiscardedRequest implements RequestSink {
  #answer: (() => void) | null;
  #bytes = 0;

  /**
   * `answer` is called once: when the body is complete, or more than `limits.discardedBodyBytes` of it have
   * arrived.
   */
  constructor(answer: () => void) {
    this.#answer = answer;
  }

  onRequestBody(piece: Uint8Array, last: boolean): void {
    this.#bytes += piece.byteLength;
    if (!last && this.#bytes <= limits.discardedBodyBytes) return;
    const answer = this.#answer;
    this.#answer = null;
    answer?.();
  }

  onRequestTrailers(): void {}

  onAborted(): void {
    this.#answer = null;
  }

  onWritable(): void {}

  lastWords(): string {
    return '';
  }
}
