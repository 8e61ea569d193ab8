/** Requests of every kind, each a function of its number, and the answers that v1 and v2 give to them. */
import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Asked } from '../support/client.js';
import { fieldOf, type Origin, type Received } from '../support/origin.js';

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PURGE'];
const KiB = 1024;
const bodySizes = [
  0,
  1,
  2,
  127,
  1000,
  4 * KiB,
  16 * KiB - 1,
  16 * KiB,
  16 * KiB + 1,
  64 * KiB,
  65 * KiB + 3,
  300 * KiB,
];
const chunksMax = 40;
/** One request in this many has a body of 1 or 5 MiB. */
const largeEvery = 100;
const largeSizes = [1024 * KiB, 5 * 1024 * KiB];
const answerSizes = [0, 1, 295, 8 * KiB, 64 * KiB, 200 * KiB];
/** What the edge puts into every request of a client that sends none of them. */
export const edgeFields = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-request-id'];
const fieldsAside = ['host', 'content-length', 'transfer-encoding', 'connection', ...edgeFields];

export interface MixedRequest {
  readonly index: number;
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer | null;
  readonly chunkBytes: number | null;
}

/** The same bytes for the same seed and size. */
export function bodyOf(seed: number, size: number): Buffer {
  const body = Buffer.alloc(size);
  let state = (seed * 2654435761 + 1) >>> 0;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    body[i] = state >>> 24;
  }
  return body;
}

export function mixedRequest(index: number): MixedRequest {
  const method = methods[index % methods.length];
  const withBody = !['GET', 'HEAD', 'OPTIONS'].includes(method);
  const size =
    index % largeEvery === largeEvery - 1
      ? largeSizes[Math.floor(index / largeEvery) % 2]
      : bodySizes[Math.floor(index / 3) % bodySizes.length];
  const chunked = index % 5 < 2 && size > 0;
  const repeats: [string, string][] = Array.from({ length: index % 4 }, (_, i) => [
    'x-repeated',
    `value ${i}`,
  ]);
  return {
    index,
    method,
    target: `/reviews/${index}${index % 3 === 0 ? `?page=${index}&q=%C3%A9+a%20b&empty=&&x` : index % 3 === 1 ? '?' : ''}`,
    host: index % 2 === 0 ? 'reviews.example.com' : 'reviews:8080',
    fields: [
      ['x-index', String(index)],
      ['accept', '*/*;q=0.8, text/html'],
      ['user-agent', 'umbra-test'],
      // The bytes of UTF-8 text, as the char codes that they are on the wire.
      ['x-utf8', Buffer.from(`naïve café ☕ ${index}`).toString('latin1')],
      ['x-empty', ''],
      ...repeats,
      ['x-last', `"quoted, with = and ; ${'x'.repeat(index % 200)}"`],
    ],
    body: withBody ? bodyOf(index, size) : null,
    // Never so small that a body is thousands of chunks.
    chunkBytes: withBody && chunked ? Math.ceil(size / chunksMax) + (index % 7) * 9973 : null,
  };
}

export function asked(request: MixedRequest): Asked {
  const headers: Record<string, string | string[]> = { host: request.host };
  for (const [name, value] of request.fields) {
    const before = headers[name];
    headers[name] = before === undefined ? value : [before, value].flat();
  }
  return {
    method: request.method,
    target: request.target,
    headers,
    body: request.body,
    chunkBytes: request.chunkBytes,
  };
}

type Words = Omit<Received, 'framing'> & { readonly framing: string; readonly host?: string | null };

/** What must be the same at the client, at v1 and at v2; the host is beside it. */
export function asWords(request: MixedRequest | Received): Words {
  if ('bodySha' in request) {
    return {
      method: request.method,
      target: request.target,
      fields: request.fields.filter(([name]) => !fieldsAside.includes(name)),
      framing: request.framing,
      bodyBytes: request.bodyBytes,
      bodySha: request.bodySha,
      host: fieldOf(request, 'host'),
    };
  }
  const body = request.body ?? Buffer.alloc(0);
  return {
    method: request.method,
    target: request.target,
    fields: request.fields,
    framing: request.body === null ? 'none' : request.chunkBytes === null ? 'length' : 'chunked',
    bodyBytes: body.length,
    bodySha: sha(body),
  };
}

export function requestsWith(origin: Origin, index: number): Received[] {
  return byIndex(origin).get(String(index)) ?? [];
}

const indexes = new WeakMap<Origin, { count: number; map: Map<string, Received[]> }>();

function byIndex(origin: Origin): Map<string, Received[]> {
  const known = indexes.get(origin);
  if (known?.count === origin.received.length) return known.map;
  const map = new Map<string, Received[]>();
  for (const received of origin.received) {
    const index = fieldOf(received, 'x-index') ?? '';
    map.set(index, [...(map.get(index) ?? []), received]);
  }
  indexes.set(origin, { count: origin.received.length, map });
  return map;
}

/** v2 answers with another status and other bytes, so that a byte of it at a client would be seen. */
export function answerAs(version: 'v1' | 'v2', received: Received, response: ServerResponse): void {
  const index = Number(fieldOf(received, 'x-index'));
  const { status, size, chunked } = answerOf(version, index);
  response.statusCode = status;
  response.setHeader('x-version', version);
  response.setHeader('set-cookie', [`a=${index}`, `b=${index}`]);
  const body = bodyOf(version === 'v1' ? index : index + 1, size);
  if (!chunked) response.setHeader('content-length', size);
  response.end(body);
}

/** What the client must get. */
export function sizesOf(request: MixedRequest): { status: number; bytes: number; sha: string } {
  const { status, size } = answerOf('v1', request.index);
  const bytes = request.method === 'HEAD' ? 0 : size;
  return { status, bytes, sha: sha(bodyOf(request.index, bytes)) };
}

function answerOf(version: 'v1' | 'v2', index: number): { status: number; size: number; chunked: boolean } {
  const step = version === 'v1' ? index : index + 1;
  return {
    status: version === 'v1' ? [200, 201, 404, 500][step % 4] : [503, 202, 302][step % 3],
    size: answerSizes[step % answerSizes.length],
    chunked: step % 2 === 0,
  };
}

function sha(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('base64');
}
