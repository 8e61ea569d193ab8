import { type EndpointError, noError } from '../endpoint-cause.js';
import type { Address, EjectionPlan, EndpointPlan } from '../plan.js';
import { Deadline } from './deadlines.js';
import { Ejection } from './ejection.js';
import { Health, HealthBlock } from './health-block.js';
import { SlowStart } from './slow-start.js';
import { addressText, sameAddress, sameEndpoint, type Target } from './target.js';

/** An idle connection, as its endpoint keeps it. */
export interface IdleConnection {
  close(): void;
}

/** A connection that several calls share, as its endpoint keeps it. */
export interface SharedConnection {
  /** How many more calls it takes now. */
  readonly room: number;
  /** No call uses it or waits for it. */
  readonly isIdle: boolean;
  /** Takes no more calls, and closes when the last one has ended. */
  retire(): void;
}

/** One address of one endpoint in one thread's pool. */
export class Endpoint<
  C extends IdleConnection = IdleConnection,
  S extends SharedConnection = SharedConnection,
> {
  readonly plan: EndpointPlan;
  readonly address: Address;
  /** The address in access logs: `host:port` with an IP address, or a socket's path. */
  readonly logged: string;
  /** Calls that run here or wait for a connect. */
  pending = 0;
  /** The balance of its weight (core/upstream/balancer). */
  owed = 0;
  /** Connections that are open or being opened. */
  open = 0;
  /**
   * Idle connections in the order in which they became idle. The last one is used first, so that the others
   * can expire.
   */
  readonly idle: C[] = [];
  /** Open connections of HTTP/2. The first ones are filled first, so that the others can expire. */
  readonly shared: S[] = [];
  /** Until this time the endpoint counts as one that speaks HTTP/1.1 alone. */
  http1UntilUs = 0;
  /** The session that the next TLS handshake may resume. */
  tlsSession: Buffer | null = null;
  /** Why its latest connection failed, or ended before it should. Set before the owner is notified. */
  lastError: EndpointError = noError;
  readonly ejection: Ejection;
  readonly slowStart = new SlowStart();
  /** The end of the ejection. */
  readonly backDeadline: Deadline;
  /** The name no longer resolves to this address. Calls under way finish, and no new ones begin. */
  gone = false;
  #health: HealthBlock | null = null;
  #wasUnhealthy = false;
  readonly #slowStartMs: number;

  constructor(
    target: Target,
    ejection: EjectionPlan,
    slowStartMs: number,
    onEjectionOver: (endpoint: Endpoint<C, S>) => void,
  ) {
    this.plan = target.endpoint;
    this.address = target.address;
    this.logged = target.address.kind === 'unix' ? target.address.path : addressText(target.address);
    this.ejection = new Ejection(ejection);
    this.#slowStartMs = slowStartMs;
    this.backDeadline = new Deadline(() => onEjectionOver(this));
    this.watch(target.health);
  }

  isAt(target: Target): boolean {
    return sameAddress(this.address, target.address) && sameEndpoint(this.plan, target.endpoint);
  }

  /**
   * `watch` follows the checks in `health`, a `HealthBlock`, from now on. Null: the endpoint is not checked.
   */
  watch(health: SharedArrayBuffer | null): void {
    this.#health = health === null ? null : new HealthBlock(health);
    if (health === null) this.#wasUnhealthy = false;
  }

  /** `startSlowly` begins a slow start at `fromUs`, when the endpoint returned. */
  startSlowly(fromUs: number): void {
    this.slowStart.begin(fromUs, this.#slowStartMs);
  }

  /**
   * Neither ejected nor unhealthy. An endpoint that is not usable gets no calls while another one is usable.
   */
  get usable(): boolean {
    if (this.#health !== null) {
      const unhealthy = this.#health.state === Health.UNHEALTHY;
      if (unhealthy) {
        this.#wasUnhealthy = true;
        return false;
      }
      if (this.#wasUnhealthy) {
        this.#wasUnhealthy = false;
        this.startSlowly(this.#health.sinceUs);
      }
    }
    return !this.ejection.out;
  }

  /** A shared connection takes one more call. */
  get hasRoom(): boolean {
    for (const connection of this.shared) if (connection.room > 0) return true;
    return false;
  }

  closeIdle(): void {
    while (this.idle.length > 0) this.idle[this.idle.length - 1]!.close();
    for (const connection of [...this.shared]) if (connection.isIdle) connection.retire();
  }

  /** `retire` closes idle connections now, and shared ones when their last call has ended. */
  retire(): void {
    this.closeIdle();
    for (const connection of [...this.shared]) connection.retire();
  }
}
