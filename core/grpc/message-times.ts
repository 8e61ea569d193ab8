/**
 * When the messages of one direction of a gRPC call came. As text, in recordings and streams, it is the
 * microseconds from the beginning of the call to the first whole message, from each to the next, and from the
 * last one to the end of the body: `85 0 2000150 12`.
 *
 * Messages are counted, not bytes, because redaction may change the length of a message.
 */
import { limits } from '../limits.js';
import { MessageCounter } from './message-counter.js';

const gapSyntax = /^\d{1,13}$/;
/** One call may be quiet for longer than this; nobody plays it for so long. */
const spanUsMax = 24 * 3_600_000_000;

/** Keeps the times while pieces of a body pass. */
export class MessageTimes {
  readonly #counter = new MessageCounter();
  readonly #gaps: number[] = [];
  #lastUs = 0;

  /** Takes a piece that came `atUs` after the beginning of the call. */
  take(piece: Uint8Array, atUs: number): void {
    const before = this.#counter.wholeMessages;
    this.#counter.take(piece);
    for (let whole = before; whole < this.#counter.wholeMessages; whole++) {
      if (this.#gaps.length === limits.recordedMessageTimes) return;
      this.#add(atUs);
    }
  }

  /** The body ended `atUs` after the beginning of the call. Returns the text. */
  end(atUs: number): string {
    this.#add(atUs);
    return this.#gaps.join(' ');
  }

  #add(atUs: number): void {
    const us = Math.max(this.#lastUs, Math.round(atUs));
    this.#gaps.push(us - this.#lastUs);
    this.#lastUs = us;
  }
}

/** `given`, or an empty text where it is no such times. */
export function checkedTimes(given: string | null | undefined): string {
  if (given == null) return '';
  const gaps = given.split(' ', limits.recordedMessageTimes + 2);
  return gaps.length <= limits.recordedMessageTimes + 1 && gaps.every((gap) => gapSyntax.test(gap))
    ? given
    : '';
}

/** What is sent at one time of a call. */
export interface TimedPiece {
  /** Microseconds from the beginning of the call. */
  readonly afterUs: number;
  /** A whole message with its prefix; null is the end of the body. */
  readonly message: Buffer | null;
}

/**
 * The pieces of `body` with their times, divided by `speed`. Messages behind the last known time come with
 * it. Null: there is nothing to be paced, because no times are known, or the body is not whole messages.
 */
export function timedPieces(body: Buffer, times: string, speed: number): TimedPiece[] | null {
  if (times === '') return null;
  const messages = framedMessages(body);
  if (messages === null) return null;
  let sum = 0;
  const known = times.split(' ').map((gap) => {
    sum = Math.min(sum + Number(gap), spanUsMax);
    return sum / speed;
  });
  const end = known.pop()!;
  return [
    ...messages.map((message, i) => ({ message, afterUs: known[Math.min(i, known.length - 1)] ?? end })),
    { message: null, afterUs: end },
  ];
}

/** The messages with their prefixes, as views of `body`; null: its end is not that of a message. */
function framedMessages(body: Buffer): Buffer[] | null {
  const messages: Buffer[] = [];
  for (let at = 0; at < body.byteLength; ) {
    if (at + MessageCounter.prefixBytes > body.byteLength) return null;
    const end = at + MessageCounter.prefixBytes + body.readUInt32BE(at + 1);
    if (end > body.byteLength) return null;
    messages.push(body.subarray(at, end));
    at = end;
  }
  return messages;
}
