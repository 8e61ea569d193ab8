/**
 * Requests that are ready to be sent, many in one block of memory. The reader of a recording packs them, and
 * the sending thread unpacks them one by one. A block moves between threads without a copy, and the sender
 * neither parses nor allocates a buffer.
 *
 *   a request: numbers (below) | method, target, host, fields, trailers, times, key, head of the response
 *              | body | body of the response; then up to a multiple of eight
 */
import { GrpcStatus } from '../grpc/grpc-status.js';
import type { Framing } from '../http/message.js';
import { latin1Slice, latin1Write } from '../http/wire.js';
import { limits } from '../limits.js';
import type { RecordedExchange, RecordedResponse } from '../recording/recorded.js';
import type { ScheduledRequest } from './pace.js';

/** Positions of the numbers of a request. */
const AT = {
  AFTER_US: 0,
  METHOD_CHARS: 1,
  TARGET_CHARS: 2,
  HOST_CHARS: 3,
  FIELDS_CHARS: 4,
  TRAILERS_CHARS: 5,
  /** -1: the request has no order key. */
  KEY_CHARS: 6,
  BODY_BYTES: 7,
  FRAMING: 8,
  LENGTH_ZERO: 9,
  /** 0: no response was recorded. */
  STATUS: 10,
  RESPONSE_BYTES: 11,
  /** NaN: unknown. */
  DIGEST: 12,
  TRUNCATED: 13,
  LATENCY_US: 14,
  /** -1: the content of the response is not packed. */
  RESPONSE_HEAD_CHARS: 15,
  RESPONSE_BODY_BYTES: 16,
  RESPONSE_TRUNCATED: 17,
  GRPC: 18,
  GRPC_STATUS: 19,
  TIMES_CHARS: 20,
} as const;
const numbers = 21;
const numbersBytes = numbers * Float64Array.BYTES_PER_ELEMENT;
const firstBytes = 256 * 1024;
/** A block begins with the size of the previous one, up to this. */
const firstBytesMax = 4 * 1024 * 1024;

export interface ReadyRequest extends ScheduledRequest {
  /** The order key, or null for none. */
  readonly key: string | null;
}

export class RequestPacker {
  #block = Buffer.from(new ArrayBuffer(firstBytes));
  #numbers = numbersOf(this.#block);
  count = 0;
  bytes = 0;

  /** `withContent`: the content of the recorded response is compared, not only its checksum. */
  add({ exchange, afterUs }: ScheduledRequest, key: string | null, withContent = true): void {
    const { request, response } = exchange;
    const content = withContent ? (response?.content ?? null) : null;
    const responseBody = content?.body.subarray(0, limits.replayResponseBytes) ?? nothing;
    const { method, target, host, fields, framing, body, trailers, lengthZero, messageTimes } = request;
    const text =
      method + target + host + fields + trailers + messageTimes + (key ?? '') + (content?.head ?? '');
    const bodies = body.byteLength + responseBody.byteLength;
    this.#makeRoom(numbersBytes + text.length + bodies + Float64Array.BYTES_PER_ELEMENT);
    const numbers = this.#numbers;
    const first = this.bytes / Float64Array.BYTES_PER_ELEMENT;
    numbers[first + AT.AFTER_US] = afterUs;
    numbers[first + AT.METHOD_CHARS] = method.length;
    numbers[first + AT.TARGET_CHARS] = target.length;
    numbers[first + AT.HOST_CHARS] = host.length;
    numbers[first + AT.FIELDS_CHARS] = fields.length;
    numbers[first + AT.TRAILERS_CHARS] = trailers.length;
    numbers[first + AT.TIMES_CHARS] = messageTimes.length;
    numbers[first + AT.KEY_CHARS] = key?.length ?? -1;
    numbers[first + AT.BODY_BYTES] = body.byteLength;
    numbers[first + AT.FRAMING] = framing;
    numbers[first + AT.LENGTH_ZERO] = lengthZero ? 1 : 0;
    numbers[first + AT.STATUS] = response?.status ?? 0;
    numbers[first + AT.RESPONSE_BYTES] = response?.bytes ?? 0;
    numbers[first + AT.DIGEST] = response?.digest ?? Number.NaN;
    numbers[first + AT.TRUNCATED] = response?.truncated === true ? 1 : 0;
    numbers[first + AT.LATENCY_US] = response?.latencyUs ?? -1;
    numbers[first + AT.RESPONSE_HEAD_CHARS] = content?.head.length ?? -1;
    numbers[first + AT.RESPONSE_BODY_BYTES] = responseBody.byteLength;
    const isCut = content !== null && responseBody.byteLength < content.body.byteLength;
    numbers[first + AT.RESPONSE_TRUNCATED] = isCut || content?.truncated === true ? 1 : 0;
    numbers[first + AT.GRPC] = request.grpc ? 1 : 0;
    numbers[first + AT.GRPC_STATUS] = response?.grpcStatus ?? GrpcStatus.NONE;
    const textStart = this.bytes + numbersBytes;
    latin1Write(this.#block, text, textStart);
    this.#block.set(body, textStart + text.length);
    this.#block.set(responseBody, textStart + text.length + body.byteLength);
    this.bytes = aligned(textStart + text.length + bodies);
    this.count++;
  }

  /** `take` returns the block with all added requests. The packer then begins a new block. */
  take(): ArrayBuffer {
    const { buffer, byteLength } = this.#block;
    this.#block = Buffer.from(new ArrayBuffer(Math.min(byteLength, firstBytesMax)));
    this.#numbers = numbersOf(this.#block);
    this.count = 0;
    this.bytes = 0;
    return buffer;
  }

  #makeRoom(bytes: number): void {
    if (this.bytes + bytes <= this.#block.byteLength) return;
    const larger = Buffer.from(
      new ArrayBuffer(aligned(Math.max(2 * this.#block.byteLength, this.bytes + bytes))),
    );
    this.#block.copy(larger, 0, 0, this.bytes);
    this.#block = larger;
    this.#numbers = numbersOf(larger);
  }
}

/** Reads the requests of one block. Call `next` only while `left` is above 0. */
export class RequestUnpacker {
  readonly #block: Buffer;
  readonly #numbers: Float64Array;
  #at = 0;
  left: number;

  constructor(block: ArrayBuffer, count: number) {
    this.#block = Buffer.from(block);
    this.#numbers = numbersOf(this.#block);
    this.left = count;
  }

  next(): ReadyRequest {
    const numbers = this.#numbers;
    const first = this.#at / Float64Array.BYTES_PER_ELEMENT;
    const targetAt = numbers[first + AT.METHOD_CHARS];
    const hostAt = targetAt + numbers[first + AT.TARGET_CHARS];
    const fieldsAt = hostAt + numbers[first + AT.HOST_CHARS];
    const trailersAt = fieldsAt + numbers[first + AT.FIELDS_CHARS];
    const timesAt = trailersAt + numbers[first + AT.TRAILERS_CHARS];
    const keyAt = timesAt + numbers[first + AT.TIMES_CHARS];
    const keyChars = numbers[first + AT.KEY_CHARS];
    const textStart = this.#at + numbersBytes;
    const headAt = keyAt + Math.max(0, keyChars);
    const bodyStart = textStart + headAt + Math.max(0, numbers[first + AT.RESPONSE_HEAD_CHARS]);
    const bodyEnd = bodyStart + numbers[first + AT.BODY_BYTES];
    const responseEnd = bodyEnd + numbers[first + AT.RESPONSE_BODY_BYTES];
    const text = latin1Slice(this.#block, textStart, bodyStart);
    this.#at = aligned(responseEnd);
    this.left--;
    const exchange: RecordedExchange = {
      timeUs: 0,
      route: '',
      order: '',
      request: {
        method: text.slice(0, targetAt),
        target: text.slice(targetAt, hostAt),
        host: text.slice(hostAt, fieldsAt),
        fields: text.slice(fieldsAt, trailersAt),
        framing: numbers[first + AT.FRAMING] as Framing,
        lengthZero: numbers[first + AT.LENGTH_ZERO] === 1,
        body: bodyStart === bodyEnd ? nothing : this.#block.subarray(bodyStart, bodyEnd),
        trailers: text.slice(trailersAt, timesAt),
        messageTimes: text.slice(timesAt, keyAt),
        grpc: numbers[first + AT.GRPC] === 1,
      },
      response:
        numbers[first + AT.STATUS] === 0
          ? null
          : this.#response(first, text.slice(headAt), bodyEnd, responseEnd),
      primaryFailure: -1,
    };
    const key = keyChars < 0 ? null : text.slice(keyAt, headAt);
    return { exchange, afterUs: numbers[first + AT.AFTER_US], key };
  }

  #response(first: number, head: string, bodyStart: number, bodyEnd: number): RecordedResponse {
    const numbers = this.#numbers;
    const digest = numbers[first + AT.DIGEST];
    return {
      status: numbers[first + AT.STATUS],
      grpcStatus: numbers[first + AT.GRPC_STATUS] as GrpcStatus,
      bytes: numbers[first + AT.RESPONSE_BYTES],
      digest: Number.isNaN(digest) ? null : digest,
      truncated: numbers[first + AT.TRUNCATED] === 1,
      latencyUs: numbers[first + AT.LATENCY_US],
      content:
        numbers[first + AT.RESPONSE_HEAD_CHARS] < 0
          ? null
          : {
              head,
              body: this.#block.subarray(bodyStart, bodyEnd),
              truncated: numbers[first + AT.RESPONSE_TRUNCATED] === 1,
            },
    };
  }
}

const nothing = Buffer.alloc(0);

function numbersOf(block: Buffer): Float64Array {
  return new Float64Array(block.buffer, 0, Math.floor(block.byteLength / Float64Array.BYTES_PER_ELEMENT));
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / Float64Array.BYTES_PER_ELEMENT) * Float64Array.BYTES_PER_ELEMENT;
}
