/**
 * The head of a response as captured for comparison: `200 OK CRLF name: value CRLF …`, without hop-by-hop
 * fields and framing.
 */

import { limits } from '../limits.js';
import { type ResponseHead, Without } from './response-head.js';

/** One per thread, created for the first captured response. */
let scratch: Buffer | null = null;

/** `headText` returns a view that the next call on this thread overwrites. */
export function headText(head: ResponseHead): Buffer {
  scratch ??= Buffer.allocUnsafeSlow(limits.responseHeadBytes);
  return scratch.subarray(0, head.writeForward(scratch, Without.NOTHING));
}
