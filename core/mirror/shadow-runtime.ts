/** A plan as a shadow thread runs it: for each mirror slot the shadow's pool, its ledgers and its bounds. */
import { applyEdits, isEmpty } from '../http/field-edits.js';
import { Framing } from '../http/message.js';
import type { MirrorPlan } from '../plan.js';
import type { MirrorLedger } from '../record/mirror-ledger.js';
import type { VersionLedger } from '../record/version-ledger.js';
import type { VersionPool } from '../upstream/pool.js';
import type { MirrorBounds } from './bounds.js';
import type { MirroredHead } from './codec.js';
import { marked } from './loop-mark.js';
import { compileRewrite, type TargetRewrite } from './path-rewrite.js';
import { shadowHost } from './shadow-host.js';
import { type Random, withNewTrace, withoutTrace } from './trace-fields.js';

const pipelinedMethods: readonly string[] = ['GET', 'HEAD', 'OPTIONS', 'TRACE'];

/** One mirror on one shadow thread. */
export class ShadowMirror {
  readonly plan: MirrorPlan;
  readonly route: string;
  readonly pool: VersionPool;
  readonly version: VersionLedger;
  readonly ledger: MirrorLedger;
  readonly bounds: MirrorBounds;
  readonly #endpointAuthority: string;
  readonly #editsFields: boolean;
  readonly #rewrite: TargetRewrite | null;
  readonly #random: Random;

  constructor(
    plan: MirrorPlan,
    route: string,
    pool: VersionPool,
    version: VersionLedger,
    ledger: MirrorLedger,
    bounds: MirrorBounds,
    random: Random,
  ) {
    this.plan = plan;
    this.route = route;
    this.pool = pool;
    this.version = version;
    this.ledger = ledger;
    this.bounds = bounds;
    this.#endpointAuthority = pool.plan.endpoints[0]?.authority ?? '';
    this.#editsFields = !isEmpty(plan.headers);
    this.#rewrite = compileRewrite(plan.rewrite);
    this.#random = random;
  }

  /**
   * Whether a copy goes on a connection that carries others: it has no body and its method is safe (RFC 9112, section 9.3.2), and
   * the time to its first byte is not bounded, which depends on those before it there.
   */
  pipelines(head: MirroredHead): boolean {
    if (this.plan.pipelining <= 1 || head.framing !== Framing.NONE || this.plan.firstByteTimeoutMs > 0)
      return false;
    return pipelinedMethods.includes(head.method);
  }

  targetFor(target: string): string {
    return this.#rewrite === null ? target : this.#rewrite(target);
  }

  hostFor(host: string): string {
    return shadowHost(this.plan.host, host, this.#endpointAuthority);
  }

  /** The trace policy comes first, so that header edits have the last word; the mark is always there. */
  fieldsFor(fields: string): string {
    let result = fields;
    if (this.plan.trace === 'drop') result = withoutTrace(result);
    else if (this.plan.trace === 'new') result = withNewTrace(result, this.#random);
    return marked(this.#editsFields ? applyEdits(result, this.plan.headers) : result);
  }
}

export class ShadowRuntime {
  readonly generation: number;
  /** By slot; a slot whose mirror is not in this plan is undefined. */
  readonly mirrors: readonly (ShadowMirror | undefined)[];
  /** By slot, of every mirror that the process ever had: what can't be served must still be counted. */
  readonly ledgers: readonly (MirrorLedger | undefined)[];

  constructor(
    generation: number,
    mirrors: readonly (ShadowMirror | undefined)[],
    ledgers: readonly (MirrorLedger | undefined)[],
  ) {
    this.generation = generation;
    this.mirrors = mirrors;
    this.ledgers = ledgers;
  }
}
