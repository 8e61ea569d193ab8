/**
 * The head of a response as it is captured for comparison: `200 OK CRLF name: value CRLF …`, without
 * hop-by-hop fields and framing.
 */

import { limits } from '../limits.js';
import { type ResponseHead, Without } from './response-head.js';

/** One per thread, made when the first response is captured. */
let scratch: Buffer | null = null;

/** A view that is overwritten by the next call on this thread. */
export function headText(head: ResponseHead): Buffer {
  scratch ??= Buffer.allocUnsafeSlow(limits.responseHeadBytes);
  return scratch.subarray(0, head.writeForward(scratch, Without.NOTHING));
}
