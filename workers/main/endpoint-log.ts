/**
 * What the log says of endpoints and breakers. Each data-plane thread judges for itself and reports to main;
 * this class makes one line of it. Lines are bounded by a token bucket for each endpoint and cause, and those
 * that found it empty are counted in the next line ("and 37 more").
 */

import { causeCodes, causeText } from '../../core/endpoint-cause.js';
import { limits } from '../../core/limits.js';
import type { EndpointErrorCount, EndpointErrors } from '../../core/report/endpoint-errors.js';
import type { BreakerEvent, EndpointEvent, LogMessage } from '../protocol/messages.js';

/** The bucket of one endpoint and cause. */
interface Bucket {
  tokens: number;
  filledMs: number;
  /** Failures that no line names yet. */
  unnamed: number;
  sinceMs: number;
}

export interface EndpointLogOptions {
  readonly onLog: (message: LogMessage) => void;
  /** The latest errors changed. */
  readonly onErrors: (errors: EndpointErrors) => void;
  /** Milliseconds on a monotonic time line. */
  readonly clockMs: () => number;
}

export class EndpointLog {
  readonly #options: EndpointLogOptions;
  readonly #buckets = new Map<string, Bucket>();
  /** The threads on which something is ejected or open, by endpoint or mirror. */
  readonly #threads = new Map<string, Set<string>>();
  readonly #errors = new Map<string, EndpointErrorCount>();
  #sendSoon: NodeJS.Timeout | null = null;

  constructor(options: EndpointLogOptions) {
    this.#options = options;
  }

  /** The latest error of each endpoint. */
  get errors(): EndpointErrors {
    return [...this.#errors.values()];
  }

  /** `take` takes what a data-plane thread reports. */
  take(thread: string, event: EndpointEvent | BreakerEvent): void {
    if (event.type === 'breaker') this.#breaker(thread, event);
    else if (event.news.what === 'back') this.#back(thread, event, event.news.answered);
    else this.#failed(thread, event, event.news);
  }

  /** `gone` forgets what a thread that has ended had ejected. */
  gone(thread: string): void {
    for (const threads of this.#threads.values()) threads.delete(thread);
  }

  /** `follow` forgets versions that have left the configuration. */
  follow(versions: readonly { readonly name: string }[]): void {
    const names = new Set(versions.map(({ name }) => name));
    for (const [key, { version }] of this.#errors) if (!names.has(version)) this.#errors.delete(key);
    for (const keyed of [this.#buckets, this.#threads]) {
      for (const key of keyed.keys()) if (!names.has(key.slice(0, key.indexOf('\n')))) keyed.delete(key);
    }
  }

  #failed(
    thread: string,
    event: EndpointEvent,
    { cause, errno, count, atMs, ejectedMs }: Extract<EndpointEvent['news'], { what: 'failed' }>,
  ): void {
    const { version, role, address } = event;
    const key = keyOf(event);
    const before = this.#errors.get(key)?.count ?? 0;
    this.#errors.set(key, { version, role, address, cause, errno, atMs, count: before + count });
    this.#sendSoon ??= setTimeout(() => {
      this.#sendSoon = null;
      this.#options.onErrors(this.errors);
    }, limits.endpointNewsMs).unref();
    const isNewlyOut = ejectedMs > 0 && this.#add(key, thread);
    const write = (more: string): void => {
      const out = isNewlyOut ? `; ejected for ${secondsText(ejectedMs)}` : '';
      const what = causeText({ cause, errno });
      const fields = { version, role, endpoint: event.endpoint, address, cause: causeCodes[cause], errno };
      this.#log('warn', `${nameOf(event)}: ${what}${more}${out}`, fields);
    };
    this.#bounded(`${key}\n${cause}`, count, write);
  }

  #back(thread: string, event: EndpointEvent, answered: boolean): void {
    const key = keyOf(event);
    if (!this.#remove(key, thread)) return;
    const { version, role, endpoint, address } = event;
    const what = answered ? 'answers again' : 'the ejection is over; it gets requests again';
    this.#bounded(`${key}\nback\n${answered}`, 1, (more) =>
      this.#log('info', `${nameOf(event)}: ${what}${more}`, { version, role, endpoint, address }),
    );
  }

  #breaker(thread: string, { route, to, open, reason, cooldownMs }: BreakerEvent): void {
    const key = `${to}\nbreaker\n${route}`;
    if (open ? !this.#add(key, thread) : !this.#remove(key, thread)) return;
    this.#bounded(`${key}\n${open}`, 1, (more) => {
      const name = `mirror ${to} of route ${route}`;
      const fields = { route, to, open, reason };
      if (!open) this.#log('info', `${name}: the breaker closed, copies are sent again${more}`, fields);
      else {
        const words = `too many copies failed, the last one with ${reason}; next probe in ${secondsText(cooldownMs)}`;
        this.#log('warn', `${name}: the breaker opened: ${words}${more}`, fields);
      }
    });
  }

  /**
   * `#bounded` calls `write` now if the bucket of `key` has a token, and else as soon as it has one. `write`
   * gets the words for what no line has named.
   */
  #bounded(key: string, count: number, write: (more: string) => void): void {
    const nowMs = this.#options.clockMs();
    const { endpointLogBurst, endpointLogMs } = limits;
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      bucket = { tokens: endpointLogBurst, filledMs: nowMs, unnamed: 0, sinceMs: nowMs };
      this.#buckets.set(key, bucket);
    }
    const gained = Math.floor((nowMs - bucket.filledMs) / endpointLogMs);
    if (gained > 0) {
      bucket.tokens = Math.min(endpointLogBurst, bucket.tokens + gained);
      bucket.filledMs += gained * endpointLogMs;
    }
    if (bucket.tokens === 0) {
      if (bucket.unnamed === 0) {
        bucket.sinceMs = nowMs;
        const inMs = Math.max(0, bucket.filledMs + endpointLogMs - nowMs);
        setTimeout(() => this.#late(key, write), inMs).unref();
      }
      bucket.unnamed += count;
      return;
    }
    const more = bucket.unnamed + count - 1;
    this.#spend(bucket, nowMs, more, write);
  }

  /** `#late` writes what waited for a token. */
  #late(key: string, write: (more: string) => void): void {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined || bucket.unnamed === 0) return;
    const nowMs = this.#options.clockMs();
    bucket.tokens = 1;
    bucket.filledMs = nowMs;
    this.#spend(bucket, nowMs, bucket.unnamed - 1, write);
  }

  #spend(bucket: Bucket, nowMs: number, more: number, write: (more: string) => void): void {
    const inText = bucket.unnamed === 0 ? '' : ` in ${secondsText(nowMs - bucket.sinceMs)}`;
    bucket.tokens--;
    bucket.unnamed = 0;
    write(more <= 0 ? '' : `, and ${more} more${inText}`);
  }

  /** `#add` returns true when no other thread had it. */
  #add(key: string, thread: string): boolean {
    let threads = this.#threads.get(key);
    if (threads === undefined) {
      threads = new Set();
      this.#threads.set(key, threads);
    }
    const isFirst = threads.size === 0;
    threads.add(thread);
    return isFirst;
  }

  /** `#remove` returns true when no other thread has it. */
  #remove(key: string, thread: string): boolean {
    const threads = this.#threads.get(key);
    return threads?.delete(thread) === true && threads.size === 0;
  }

  #log(level: LogMessage['level'], message: string, fields: LogMessage['fields']): void {
    this.#options.onLog({ type: 'log', level, message, fields });
  }
}

/** The version comes first, so that `follow` finds it. */
function keyOf({ version, role, endpoint, address }: EndpointEvent): string {
  return `${version}\n${role}\n${endpoint}\n${address}`;
}

function nameOf({ version, role, endpoint, address }: EndpointEvent): string {
  const at = endpoint.endsWith(address) ? '' : ` at ${address}`;
  return `endpoint ${endpoint}${at} (version ${version}${role === 'shadow' ? ', shadow' : ''})`;
}

function secondsText(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 100) / 10} s`;
}
