/**
 * The exchanges of several recordings in the order of the times of their requests, whatever the order of
 * files and of records in them. Records are written when exchanges end, and each instance writes files of its
 * own, so the order can only be known when all have been read: `index` reads them once and keeps three
 * numbers for each request, and `exchanges` reads them again in order.
 *
 * A window of records that are sorted while they are read was rejected: a response of 30 s at 5,000 requests
 * a second stands 150,000 records late, and bodies of so many do not fit into memory.
 */
import { limits } from '../limits.js';
import type { RecordedExchange, RecordedMessage, SkippedRecord } from './recorded.js';
import { type Place, Recording } from './recording.js';
import type { ReadAt } from './window.js';

const noPlace = -1;

export interface TimelineFile {
  readonly path: string;
  readonly readAt: ReadAt;
}

export type Filter = (exchange: RecordedExchange) => boolean;

export class Timeline {
  readonly #files: readonly FileIndex[];

  /** Requests for which `keeps` returns false are left out. Throws what `readAt` throws. */
  constructor(files: readonly TimelineFile[], keeps: Filter = () => true) {
    this.#files = files.map((file) => new FileIndex(file, keeps));
  }

  /**
   * Reads every file. Yields what is skipped, and null after each record that is not, for whoever shows
   * progress.
   */
  *index(): Generator<{ readonly path: string; readonly skipped: SkippedRecord } | null> {
    let requests = 0;
    for (const file of this.#files) {
      for (const skipped of file.index()) {
        if (requests + file.requests > limits.timelineRequests)
          throw new Error(`more than ${limits.timelineRequests} requests: replay fewer files at once`);
        yield skipped === null ? null : { path: file.path, skipped };
      }
      requests += file.requests;
    }
  }

  get requests(): number {
    return this.#files.reduce((sum, { requests }) => sum + requests, 0);
  }

  /** After `index`, as often as it is asked for. Requests of one time come in the order of their files. */
  *exchanges(): Generator<RecordedExchange> {
    for (const file of this.#files) file.rewind();
    for (;;) {
      let first: FileIndex | null = null;
      for (const file of this.#files) {
        if (file.nextUs < (first?.nextUs ?? Number.POSITIVE_INFINITY)) first = file;
      }
      if (first === null) return;
      yield first.next();
    }
  }
}

/** The requests of one file by time. */
class FileIndex {
  readonly path: string;
  readonly #recording: Recording;
  readonly #keeps: Filter;
  readonly #times: number[] = [];
  readonly #places: Place[] = [];
  readonly #responses: Place[] = [];
  /** Numbers of requests in the order of their times; null: they stand so. */
  #order: Uint32Array | null = null;
  #next = 0;

  constructor({ path, readAt }: TimelineFile, keeps: Filter) {
    this.path = path;
    this.#recording = new Recording(readAt);
    this.#keeps = keeps;
  }

  get requests(): number {
    return this.#times.length;
  }

  *index(): Generator<SkippedRecord | null> {
    const pairs = new Pairs();
    let timeUs = 0;
    for (const found of this.#recording.messages()) {
      if ('reason' in found) {
        yield found;
        continue;
      }
      const { message, place } = found;
      if (message.request === null) {
        const request = pairs.requestOf(message, place);
        if (request !== null) this.#responses[request] = place;
        yield null;
        continue;
      }
      // A request without a time comes with the one before it.
      if (message.timeUs >= 0) timeUs = message.timeUs;
      const { route, order, request } = message;
      if (this.#keeps({ timeUs, route, order, request, response: null, primaryFailure: -1 })) {
        this.#times.push(timeUs);
        this.#places.push(place);
        this.#responses.push(pairs.responseOf(message, this.#times.length - 1));
      }
      yield null;
    }
    this.#order = orderOf(this.#times);
  }

  rewind(): void {
    this.#next = 0;
  }

  /** The time of the next request; infinite behind the last one. */
  get nextUs(): number {
    return this.#next < this.#times.length ? this.#times[this.#number] : Number.POSITIVE_INFINITY;
  }

  next(): RecordedExchange {
    const number = this.#number;
    this.#next++;
    const { route, order, request } = this.#recording.messageAt(this.#places[number]);
    const place = this.#responses[number];
    const response = place === noPlace ? null : this.#recording.messageAt(place).response;
    return { timeUs: this.#times[number], route, order, request: request!, response, primaryFailure: -1 };
  }

  get #number(): number {
    return this.#order === null ? this.#next : this.#order[this.#next];
  }
}

/** Null where `times` ascend. */
function orderOf(times: readonly number[]): Uint32Array | null {
  if (times.every((time, i) => i === 0 || times[i - 1] <= time)) return null;
  return Uint32Array.from(times.keys()).sort((a, b) => times[a] - times[b] || a - b);
}

/**
 * Finds the response of each request, whichever comes first and whichever of the two names the other. The
 * names that wait for their other half are bounded; beyond that the oldest request is played without its
 * response.
 */
class Pairs {
  readonly #requests = new Map<string, number>();
  readonly #responses = new Map<string, Place>();

  /** The number of the request that `message` answers; null: it has not come, or is none of ours. */
  requestOf(message: RecordedMessage, place: Place): number | null {
    return meet(message, this.#requests, this.#responses, place);
  }

  responseOf(message: RecordedMessage, request: number): Place {
    return meet(message, this.#responses, this.#requests, request) ?? noPlace;
  }
}

/** Takes the other half of an exchange out of `others`; null: it has not come, and `value` waits for it. */
function meet(
  message: RecordedMessage,
  others: Map<string, number>,
  own: Map<string, number>,
  value: number,
): number | null {
  const names = namesOf(message);
  const found = names.find((name) => others.has(name));
  if (found === undefined) {
    keep(own, names, value);
    return null;
  }
  const other = others.get(found)!;
  for (const name of names) others.delete(name);
  return other;
}

function keep(waiting: Map<string, number>, names: readonly string[], value: number): void {
  for (const name of names) waiting.set(name, value);
  while (waiting.size > limits.unpairedRecords) waiting.delete(waiting.keys().next().value!);
}

function namesOf({ id, concurrentTo }: RecordedMessage): string[] {
  return [id, ...concurrentTo].filter((name) => name !== '');
}
