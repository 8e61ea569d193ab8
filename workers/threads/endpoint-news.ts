/**
 * Reports failures and returns of endpoints to main: the first failure for a cause at once, and the further
 * ones together, so that a storm of failures sends few messages.
 */
import { wallClockMs } from '../../core/clock.js';
import type { EndpointError } from '../../core/endpoint-cause.js';
import { limits } from '../../core/limits.js';
import type { EndpointPlan } from '../../core/plan.js';
import type { Role } from '../../core/report/observed.js';
import type { Endpoint } from '../../core/upstream/endpoint.js';
import type { EndpointEvent } from '../protocol/messages.js';

/** Failures of one endpoint for one cause that main has not heard of. */
interface Unsaid {
  readonly version: string;
  readonly endpoint: Endpoint;
  readonly error: EndpointError;
  count: number;
  atMs: number;
}

export class EndpointNews {
  readonly #role: Role;
  readonly #say: (event: EndpointEvent) => void;
  /** By version, address and cause, from the first message on for `limits.endpointNewsMs`. */
  readonly #unsaid = new Map<string, Unsaid>();

  constructor(role: Role, say: (event: EndpointEvent) => void) {
    this.#role = role;
    this.#say = say;
  }

  failed(version: string, endpoint: Endpoint, error: EndpointError, ejectedMs: number): void {
    const key = `${version}\n${urlOf(endpoint.plan)}\n${endpoint.logged}\n${error.cause}`;
    const known = this.#unsaid.get(key);
    if (known !== undefined && ejectedMs === 0) {
      known.count++;
      known.atMs = wallClockMs();
      return;
    }
    const count = 1 + (known?.count ?? 0);
    this.#send({ version, endpoint, error, count, atMs: wallClockMs() }, ejectedMs);
    if (known !== undefined) {
      known.count = 0;
      return;
    }
    if (this.#unsaid.size === 0) setTimeout(() => this.#flush(), limits.endpointNewsMs).unref();
    this.#unsaid.set(key, { version, endpoint, error, count: 0, atMs: 0 });
  }

  back(version: string, endpoint: Endpoint, answered: boolean): void {
    this.#say({ ...this.#head(version, endpoint), news: { what: 'back', answered } });
  }

  #flush(): void {
    const all = [...this.#unsaid.values()];
    this.#unsaid.clear();
    for (const unsaid of all) if (unsaid.count > 0) this.#send(unsaid, 0);
  }

  #send({ version, endpoint, error, count, atMs }: Unsaid, ejectedMs: number): void {
    const { cause, errno } = error;
    this.#say({
      ...this.#head(version, endpoint),
      news: { what: 'failed', cause, errno, count, atMs, ejectedMs },
    });
  }

  #head(version: string, { plan, logged }: Endpoint) {
    return { type: 'endpoint', version, role: this.#role, endpoint: urlOf(plan), address: logged } as const;
  }
}

function urlOf({ address, authority, secure }: EndpointPlan): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return `${secure ? 'https' : 'http'}://${authority}`;
}
