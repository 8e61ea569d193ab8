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
 * `limits.reorderedRecords` of each other: records are written in the order in which exchanges ended. A request without a time
 * comes with the one before it.
 */
export function* readExchanges(
  messages: Iterable<RecordedMessage | Skipped>,
): Generator<RecordedExchange | Skipped> {
  const waiting: RecordedExchange[] = [];
  const byId = new Map<string, RecordedExchange>();
  /** Responses that came before their requests. */
  const early = new Map<string, RecordedResponse>();
  const ids = new Map<RecordedExchange, string>();
  let latestUs = 0;
  const release = (): RecordedExchange => {
    const first = waiting.shift()!;
    byId.delete(ids.get(first)!);
    ids.delete(first);
    return first;
  };
  for (const message of messages) {
    if ('reason' in message) {
      yield message;
      continue;
    }
    const { id, offset, route, request } = message;
    if (request === null) {
      const asked = byId.get(id);
      if (asked !== undefined) asked.response = message.response;
      else {
        early.set(id, message.response!);
        if (early.size > limits.reorderedRecords) early.delete(early.keys().next().value!);
      }
      continue;
    }
    if (message.timeUs >= 0) latestUs = message.timeUs;
    const response = early.get(id) ?? null;
    const exchange: RecordedExchange = {
      offset,
      timeUs: latestUs,
      route,
      request,
      response,
      primaryFailure: -1,
    };
    early.delete(id);
    let at = waiting.length;
    while (at > 0 && waiting[at - 1].timeUs > exchange.timeUs) at--;
    waiting.splice(at, 0, exchange);
    byId.set(id, exchange);
    ids.set(exchange, id);
    if (waiting.length > limits.reorderedRecords) yield release();
  }
  while (waiting.length > 0) yield release();
}
