import type { Address, EjectionPlan, EndpointPlan } from '../plan.js';
import type { UpstreamConnection } from './connection.js';
import { Deadline } from './deadlines.js';
import { Ejection } from './ejection.js';
import { Health, HealthBlock } from './health-block.js';
import { SlowStart } from './slow-start.js';
import { addressText, sameAddress, sameEndpoint, type Target } from './target.js';

/** One address of one endpoint, as one thread's pool knows it. */
export class Endpoint {
  readonly plan: EndpointPlan;
  readonly address: Address;
  /** As access logs tell it: `host:port` with an IP address, or a socket's path. */
  readonly logged: string;
  /** Calls that run here or wait for a connect. */
  pending = 0;
  /** Connections that are open or being opened. */
  open = 0;
  /** The last one to become idle is used first, so that the others can expire. */
  readonly idle: UpstreamConnection[] = [];
  /** What the next TLS handshake may resume. */
  tlsSession: Buffer | null = null;
  readonly ejection: Ejection;
  readonly slowStart = new SlowStart();
  /** The end of its ejection. */
  readonly backDeadline: Deadline;
  /** Its name does not resolve to it any more: what is under way is finished, and nothing new begins. */
  gone = false;
  #health: HealthBlock | null = null;
  #wasUnhealthy = false;
  readonly #slowStartMs: number;

  constructor(
    target: Target,
    ejection: EjectionPlan,
    slowStartMs: number,
    onBack: (endpoint: Endpoint) => void,
  ) {
    this.plan = target.endpoint;
    this.address = target.address;
    this.logged = target.address.kind === 'unix' ? target.address.path : addressText(target.address);
    this.ejection = new Ejection(ejection);
    this.#slowStartMs = slowStartMs;
    this.backDeadline = new Deadline(() => onBack(this));
    this.watch(target.health);
  }

  isAt(target: Target): boolean {
    return sameAddress(this.address, target.address) && sameEndpoint(this.plan, target.endpoint);
  }

  /** Whose checks are to be believed from now on. */
  watch(health: SharedArrayBuffer | null): void {
    this.#health = health === null ? null : new HealthBlock(health);
    if (health === null) this.#wasUnhealthy = false;
  }

  /** It came back at `fromUs`. */
  startSlowly(fromUs: number): void {
    this.slowStart.begin(fromUs, this.#slowStartMs);
  }

  /** Whether it is to be used while there are others: neither ejected nor unhealthy. */
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
}
