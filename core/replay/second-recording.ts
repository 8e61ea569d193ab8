/**
 * The responses of a second recording of the same version, by the requests that they answer. What they differ
 * in from the responses of the first recording is noise. A request is the same when its method, host, target
 * and body are; the n-th of one recording is the n-th of the other. Memory is bounded: responses beyond it
 * are left out, and noise is learned from the others.
 */
import { digestBody } from '../compare/digest.js';
import { limits } from '../limits.js';
import type { RecordedExchange, RecordedRequest, RecordedResponse } from '../recording/recorded.js';

export class SecondRecording {
  readonly #responses = new Map<string, RecordedResponse[]>();
  #bytes = 0;

  /** False: there is no room for more. */
  add({ request, response }: RecordedExchange): boolean {
    const content = response?.content ?? null;
    if (response === null || content === null) return true;
    this.#bytes += content.head.length + content.body.byteLength;
    if (this.#bytes > limits.replayLearnedBytes) return false;
    // The body is a view that the next record of its file overwrites.
    const own = { ...response, content: { ...content, body: Buffer.from(content.body) } };
    const key = keyOf(request);
    const known = this.#responses.get(key);
    if (known === undefined) this.#responses.set(key, [own]);
    else known.push(own);
    return true;
  }

  /** Removes and returns the next response to `request`; null: there is none. */
  take(request: RecordedRequest): RecordedResponse | null {
    const key = keyOf(request);
    const known = this.#responses.get(key);
    const next = known?.shift() ?? null;
    if (known?.length === 0) this.#responses.delete(key);
    return next;
  }
}

function keyOf({ method, host, target, body }: RecordedRequest): string {
  return `${method} ${host} ${target} ${digestBody(body, 0)} ${body.byteLength}`;
}
