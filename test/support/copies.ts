/** Copies as a sink is given them. */
import { Framing } from '../../core/http/message.js';
import type { Copy } from '../../core/sink/sink.js';

/** A copy of a GET without a body, whose outcome nobody observes. */
export function copyOf(changes: Partial<Copy> = {}): Copy {
  return {
    route: 'reviews',
    orderKey: 0,
    offeredUs: 0,
    method: 'GET',
    target: '/r',
    host: 'reviews.example.com',
    fields: 'accept: */*\r\n',
    framing: Framing.NONE,
    lengthZero: false,
    http2: false,
    body: [],
    bodyBytes: 0,
    trailers: '',
    messageTimes: '',
    primary: null,
    response: null,
    settled: () => {},
    segmentBegun: () => {},
    redacted: () => {},
    ...changes,
  };
}
