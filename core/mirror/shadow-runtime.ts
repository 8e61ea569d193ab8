/** A mirror on a shadow thread: the shadow's pool, its counters and its bounds. */
import { carriesLogin } from '../http/connection-login.js';
import { Framing } from '../http/message.js';
import type { MirrorPlan } from '../plan.js';
import type { MirrorCounters } from '../record/mirror-counters.js';
import type { VersionCounters } from '../record/version-counters.js';
import type { VersionPool } from '../upstream/pool.js';
import type { UpstreamRequest } from '../upstream/upstream-request.js';
import type { MirrorBounds } from './bounds.js';
import { type CopiedHead, CopyChange } from './copy-change.js';
import { marked } from './loop-mark.js';
import type { PlanInForce } from './plans-in-force.js';
import { shadowHost } from './shadow-host.js';
import type { Random } from './trace-fields.js';

const pipelinedMethods: readonly string[] = ['GET', 'HEAD', 'OPTIONS', 'TRACE'];

/** One mirror on one shadow thread. */
export class ShadowMirror {
  readonly plan: MirrorPlan;
  readonly route: string;
  readonly pool: VersionPool;
  readonly version: VersionCounters;
  readonly counters: MirrorCounters;
  readonly bounds: MirrorBounds;
  /** The copies go to the primary's version a second time, to measure noise. */
  readonly isBaseline: boolean;
  readonly #endpointAuthority: string;
  readonly #change: CopyChange;

  constructor(
    plan: MirrorPlan,
    route: string,
    pool: VersionPool,
    version: VersionCounters,
    counters: MirrorCounters,
    bounds: MirrorBounds,
    random: Random,
    isBaseline = false,
  ) {
    this.isBaseline = isBaseline;
    this.plan = plan;
    this.route = route;
    this.pool = pool;
    this.version = version;
    this.counters = counters;
    this.bounds = bounds;
    this.#endpointAuthority = pool.plan.endpoints[0]?.authority ?? '';
    this.#change = new CopyChange(plan, route, pool.plan.name, random);
  }

  /**
   * `pipelines` returns true when a copy may share a connection with others. It has no body and a safe method
   * (RFC 9112, section 9.3.2), and the time to its first byte is not bounded, because that depends on the
   * requests before it.
   */
  pipelines(request: Pick<UpstreamRequest, 'method' | 'framing' | 'fields'>): boolean {
    const { pipelining, timeouts } = this.plan;
    if (pipelining <= 1 || request.framing !== Framing.NONE || timeouts.firstByteMs > 0) return false;
    return pipelinedMethods.includes(request.method) && !carriesLogin(request.fields);
  }

  targetFor(target: string): string {
    return this.#change.target(target);
  }

  hostFor(host: string): string {
    return shadowHost(this.plan.host, host, this.#endpointAuthority);
  }

  /** `fieldsFor` returns the changed field lines with the mark of a copy. */
  fieldsFor(head: CopiedHead): string {
    return marked(this.#change.fields(head));
  }
}

/** A plan on a shadow thread. */
export type ShadowRuntime = PlanInForce<ShadowMirror>;
