/** A recording as exchanges in the order in which their requests came. */
import type { Failure } from '../errors.js';
import { limits } from '../limits.js';
import { isGoReplay, readGoReplay } from './goreplay-reader.js';
import type { RecordedMessage, RecordedRequest, RecordedResponse, Skipped } from './recorded.js';
import { isWarc, readWarc } from './warc-reader.js';
import { type ReadAt, Window } from './window.js';

export interface RecordedExchange {
  readonly offset: number;
  readonly timeUs: number;
  readonly route: string;
  /** The key of the mirror's `order`, in hexadecimal; empty: none was recorded. */
  readonly order: string;
  readonly request: RecordedRequest;
  /** Null: it is not in the recording. */
  response: RecordedResponse | null;
  /** Why the primary gave no whole response, where that is known; else -1. */
  readonly primaryFailure: Failure | -1;
}

/** Never throws for what is in the file; what `readAt` throws goes through. */
export function* readMessages(readAt: ReadAt): Generator<RecordedMessage | Skipped> {
  const window = new Window(readAt);
  if (!window.has(1)) return;
  window.has(limits.recordHeaderBytes);
  if (isGoReplay(window.bytes)) yield* readGoReplay(window);
  else if (isWarc(window.bytes)) yield* readWarc(window);
  else yield { offset: 0, reason: 'neither a WARC file nor one of GoReplay' };
}

/**
 * Puts responses to their requests and requests into the order of their times, as far as they stand within
 * `limits.reorderedRecords` of each other: records are written in the order in which exchanges ended. A
 * request without a time comes with the one before it.
 */
export function* readExchanges(
  messages: Iterable<RecordedMessage | Skipped>,
): Generator<RecordedExchange | Skipped> {
  const waiting: RecordedExchange[] = [];
  const pairs = new Pairs();
  let latestUs = 0;
  const release = (): RecordedExchange => {
    const first = waiting.shift()!;
    pairs.forget(first);
    return first;
  };
  for (const message of messages) {
    if ('reason' in message) {
      yield message;
      continue;
    }
    const { offset, route, order, request } = message;
    if (request === null) {
      pairs.addResponse(message);
      continue;
    }
    if (message.timeUs >= 0) latestUs = message.timeUs;
    const response = pairs.responseOf(message);
    const exchange: RecordedExchange = {
      offset,
      timeUs: latestUs,
      route,
      order,
      request,
      response,
      primaryFailure: -1,
    };
    let at = waiting.length;
    while (at > 0 && waiting[at - 1].timeUs > exchange.timeUs) at--;
    waiting.splice(at, 0, exchange);
    if (response === null) pairs.addRequest(message, exchange);
    if (waiting.length > limits.reorderedRecords) yield release();
  }
  while (waiting.length > 0) yield release();
}

/** Puts responses to requests, whichever comes first and whichever of the two names the other. */
class Pairs {
  readonly #asked = new Map<string, RecordedExchange>();
  readonly #names = new Map<RecordedExchange, readonly string[]>();
  /** Responses that came before their requests. */
  readonly #early = new Map<string, RecordedMessage>();

  addResponse(message: RecordedMessage): void {
    const names = namesOf(message);
    for (const name of names) {
      const asked = this.#asked.get(name);
      if (asked === undefined) continue;
      asked.response = message.response;
      this.forget(asked);
      return;
    }
    for (const name of names) this.#early.set(name, message);
    while (this.#early.size > 2 * limits.reorderedRecords)
      this.#early.delete(this.#early.keys().next().value!);
  }

  addRequest(message: RecordedMessage, exchange: RecordedExchange): void {
    const names = namesOf(message);
    for (const name of names) this.#asked.set(name, exchange);
    this.#names.set(exchange, names);
  }

  responseOf(message: RecordedMessage): RecordedResponse | null {
    for (const name of namesOf(message)) {
      const early = this.#early.get(name);
      if (early === undefined) continue;
      for (const other of namesOf(early)) this.#early.delete(other);
      return early.response;
    }
    return null;
  }

  /** Its response does not come any more, or has come. */
  forget(exchange: RecordedExchange): void {
    for (const name of this.#names.get(exchange) ?? []) this.#asked.delete(name);
    this.#names.delete(exchange);
  }
}

function namesOf({ id, concurrentTo }: RecordedMessage): string[] {
  return [id, concurrentTo].filter((name) => name !== '');
}
