/**
 * The responses of a second recording of the same version, by their requests. Their differences from the
 * first recording are noise. Requests are the same when their method, host, target and body are equal; the
 * n-th one of a recording belongs to the n-th one of the other. Memory is bounded: responses beyond the bound
 * are left out, and noise is learned from the others.
 */
import { digestBody } from '../compare/digest.js';
import { limits } from '../limits.js';
import type { RecordedExchange, RecordedRequest, RecordedResponse } from '../recording/recorded.js';

export class SecondRecording {
  readonly #responses = new Map<string, RecordedResponse[]>();
  #bytes = 0;

  /** `add` returns false when there is no more room. */
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

  /** `take` removes and returns the next response to `request`, or returns null. */
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
