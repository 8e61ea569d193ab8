import { limits } from '../../core/limits.js';

/**
 * The body of a request to the admin API as text, or null if it is larger than the bound; then the rest stays
 * unread.
 *
 * Hono's own middleware for this was rejected: on bodies of unknown length it builds a new global `Request`
 * from the server's light one, which works only if the server replaces the globals of the whole thread.
 */
export async function readBody(
  request: Request,
  bytesMax: number = limits.adminBodyBytes,
): Promise<string | null> {
  if (Number(request.headers.get('content-length') ?? 0) > bytesMax) return null;
  if (request.body === null) return '';
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  const reader: ReadableStreamDefaultReader<Uint8Array> = request.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(pieces).toString('utf8');
    bytes += value.byteLength;
    if (bytes > bytesMax) {
      await reader.cancel();
      return null;
    }
    pieces.push(value);
  }
}
