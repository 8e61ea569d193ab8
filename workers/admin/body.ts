import type { Context, MiddlewareHandler } from 'hono';
import { limits } from '../../core/limits.js';
import type { AdminFigures } from './figures.js';

/** The body of one request, from its first byte until the request is answered. */
interface HeldBody {
  readonly bodies: AdminBodies;
  bytes: number;
  /** Null before the first byte, and after the last one. */
  reader: ReadableStreamDefaultReader<Uint8Array> | null;
  wasAborted: boolean;
}

const held = 'umbra.body';

/**
 * The bodies that the admin server has in memory. Above `limits.adminBodiesBytes` the one that has been
 * arriving for longest is ended, and if all are complete the newest.
 */
class AdminBodies {
  readonly #figures: AdminFigures;
  /** The oldest first. */
  readonly #open = new Set<HeldBody>();
  #bytes = 0;

  constructor(figures: AdminFigures) {
    this.#figures = figures;
  }

  open(): HeldBody {
    const body: HeldBody = { bodies: this, bytes: 0, reader: null, wasAborted: false };
    this.#open.add(body);
    return body;
  }

  add(body: HeldBody, bytes: number): void {
    body.bytes += bytes;
    this.#bytes += bytes;
    while (this.#bytes > limits.adminBodiesBytes) this.#giveWay(this.#longestArriving() ?? body);
  }

  close(body: HeldBody): void {
    this.#release(body);
    this.#open.delete(body);
  }

  #longestArriving(): HeldBody | null {
    for (const body of this.#open) if (body.reader !== null && body.bytes > 0) return body;
    return null;
  }

  #giveWay(body: HeldBody): void {
    body.wasAborted = true;
    this.#figures.refused.bodies++;
    this.#release(body);
    // Its `read` resolves, which ends its request.
    void body.reader?.cancel().catch(() => {});
    body.reader = null;
  }

  #release(body: HeldBody): void {
    this.#bytes -= body.bytes;
    body.bytes = 0;
  }
}

/**
 * `boundBodies` bounds the bodies of all requests together. It must come before a handler that calls
 * `readBody`.
 */
export function boundBodies(figures: AdminFigures): MiddlewareHandler {
  const bodies = new AdminBodies(figures);
  return async (c, next) => {
    const body = bodies.open();
    c.set(held, body);
    try {
      await next();
    } finally {
      bodies.close(body);
    }
  };
}

/**
 * `readBody` returns the body of a request as text. It returns an answer if the body is larger than its
 * bound, or all bodies together are too large; the rest is not read.
 * Hono's own middleware for this was rejected: for bodies of unknown length it builds a new global `Request`
 * from the server's light one, which works only if the server replaces the globals of the whole thread.
 */
export async function readBody(
  c: Context,
  bytesMax: number = limits.adminBodyBytes,
): Promise<string | Response> {
  const request = c.req.raw;
  if (Number(request.headers.get('content-length') ?? 0) > bytesMax) return tooLarge(c, bytesMax);
  if (request.body === null) return '';
  const body = c.get(held) as HeldBody;
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  const reader: ReadableStreamDefaultReader<Uint8Array> = request.body.getReader();
  body.reader = reader;
  for (;;) {
    const { done, value } = await reader.read();
    if (body.wasAborted) return crowded(c);
    if (done) {
      body.reader = null;
      return Buffer.concat(pieces).toString('utf8');
    }
    bytes += value.byteLength;
    if (bytes > bytesMax) {
      await reader.cancel();
      return tooLarge(c, bytesMax);
    }
    pieces.push(value);
    body.bodies.add(body, value.byteLength);
    if (body.wasAborted) return crowded(c);
  }
}

function tooLarge(c: Context, bytesMax: number): Response {
  return c.json({ error: `the body is larger than ${bytesMax} bytes` }, 413);
}

function crowded(c: Context): Response {
  return c.json({ error: 'too much is being sent to the admin API at once' }, 503, { 'retry-after': '1' });
}
