/**
 * The body of a captured response as what its head says it is: decoded within a bound, and as text or
 * not.
 */

import * as zlib from 'node:zlib';
import {
  brotliDecompressSync,
  constants,
  gunzipSync,
  type InputType,
  inflateRawSync,
  inflateSync,
  type ZlibOptions,
} from 'node:zlib';
import { limits } from '../limits.js';
import { withoutBlanks } from '../trim.js';
import type { NotComparableReason } from './difference.js';
import { type BodyForm, bodyFormOf, parseMediaType } from './media-type.js';

/** Why a body can't be compared. */
export class BodyFault extends Error {
  readonly reason: NotComparableReason;
  constructor(reason: NotComparableReason) {
    super(reason);
    this.reason = reason;
  }
}

type Decode = (bytes: InputType, options: ZlibOptions) => Buffer;

/** Absent in Node before 22.15. */
const zstd = (zlib as unknown as { zstdDecompressSync?: Decode }).zstdDecompressSync;

const decoders: ReadonlyMap<string, Decode> = new Map<string, Decode>([
  ['gzip', gunzipSync],
  ['x-gzip', gunzipSync],
  ['br', (bytes, options) => brotliDecompressSync(bytes, options)],
  ['deflate', inflateEither],
  ...(zstd === undefined ? [] : [['zstd', zstd] as const]),
]);

/** More codings than this on one body are an attack, not a service. */
const codingsMax = 3;

/**
 * Undoes the codings of a Content-Encoding field (RFC 9110, section 8.4), the last one first. Throws
 * `BodyFault`.
 */
export function decodeBody(bytes: Uint8Array, contentEncoding: string): Uint8Array {
  const codings = contentEncoding
    .toLowerCase()
    .split(',')
    .map(withoutBlanks)
    .filter((coding) => coding !== '' && coding !== 'identity');
  if (codings.length > codingsMax) throw new BodyFault('unknown-encoding');
  return codings.reverse().reduce((encoded, coding) => decodeOnce(encoded, coding), bytes);
}

function decodeOnce(bytes: Uint8Array, coding: string): Uint8Array {
  const decode = decoders.get(coding);
  if (decode === undefined) throw new BodyFault('unknown-encoding');
  try {
    return decode(bytes, { maxOutputLength: limits.decodedBodyBytes });
  } catch (error) {
    const grew = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    throw new BodyFault(grew ? 'decoded-too-large' : 'invalid-encoding');
  }
}

/** `deflate` means the zlib format, but some send raw deflate (RFC 9110, section 8.4.1.2, note). */
function inflateEither(bytes: InputType, options: ZlibOptions): Buffer {
  try {
    return inflateSync(bytes, options);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).errno !== constants.Z_DATA_ERROR) throw error;
    return inflateRawSync(bytes, options);
  }
}

export type BodyType = 'json' | 'text' | 'binary';

/** What a Content-Type field says that a body is, as far as hiding secrets in it goes. */
export function bodyTypeOf(contentType: string): BodyType {
  const form = bodyFormOf(parseMediaType(contentType));
  if (form === 'json') return 'json';
  return textForms.includes(form) ? 'text' : 'binary';
}

const textForms: readonly BodyForm[] = ['text', 'html', 'xml', 'form', 'json-lines', 'event-stream'];

/** Text in the character set of its Content-Type, UTF-8 without one. Throws `BodyFault`. */
export function decodeText(bytes: Uint8Array, contentType: string): string {
  const charset = /;\s*charset\s*=\s*"?([\w.:-]+)/i.exec(contentType)?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch {
    throw new BodyFault('invalid-utf8');
  }
}
