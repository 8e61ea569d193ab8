/**
 * Two responses taken apart and compared: status, then bodies by what they are, then header fields. When
 * the status differs it is another answer altogether, and nothing else of it is compared.
 *
 * Pure, and bounded but for time: who calls it bounds that, by ending the thread
 * (workers/control/analysts).
 */
import { GrpcStatus, grpcStatusName } from '../grpc/grpc-status.js';
import { limits } from '../limits.js';
import type { RedactPlan, StructurePlan } from '../plan.js';
import { Descriptors } from '../protobuf/descriptors.js';
import { Redaction } from '../redact.js';
import { attempt } from './attempt.js';
import { decodeBody } from './body.js';
import { type Content, ContentFault, diffContents } from './contents.js';
import type { Comparison, Difference, NotComparableReason } from './difference.js';
import { FieldDiff } from './field-diff.js';
import type { JsonRules } from './json-rules.js';
import type { PairSide } from './pair-port.js';
import { PathRules } from './path-rules.js';
import { fieldOf, grpcStatusIn, type Response, readResponse } from './response.js';

/** Plain data that crosses threads. */
export interface CompareRules {
  readonly structure: Pick<
    StructurePlan,
    'ignoreHeaders' | 'ignorePaths' | 'tolerance' | 'arrays' | 'rules' | 'protobuf'
  >;
  readonly redact: RedactPlan;
}

export class Comparer {
  readonly #fields: FieldDiff;
  readonly #documents: JsonRules;
  readonly #descriptors: Descriptors | null;

  constructor({ structure, redact }: CompareRules) {
    const { ignoreHeaders, ignorePaths, tolerance, arrays, rules, protobuf } = structure;
    const redaction = new Redaction(redact);
    const none = { tolerance: null, unordered: false, key: null, matches: null, equivalent: null };
    const ignored = ignorePaths.map((path) => ({ path, ignore: true, ...none }));
    this.#fields = new FieldDiff(ignoreHeaders, redaction);
    this.#documents = { paths: new PathRules([...ignored, ...rules]), tolerance, arrays, redaction };
    // The set was checked when the configuration was loaded.
    this.#descriptors = protobuf === null ? null : Descriptors.read(new Uint8Array(protobuf.descriptors));
  }

  /** `target`: of the request, a wire string. */
  compare(primarySide: PairSide, shadowSide: PairSide, target: string): Comparison {
    const found = new Differences();
    const primary = readResponse(primarySide);
    const shadow = readResponse(shadowSide);
    const grpc = [grpcStatusIn(primary), grpcStatusIn(shadow)] as const;
    if (grpc[0] !== grpc[1]) {
      const [name, other] = [statusText(primary, grpc[0]), statusText(shadow, grpc[1])];
      const path = `${name} ${other}`;
      found.add({ kind: 'status', path, change: 'value', at: path, primary: name, shadow: other });
      return found;
    }
    if (primary.status !== shadow.status) {
      const path = `${primary.status} ${shadow.status}`;
      const statuses = { primary: primary.status, shadow: shadow.status };
      found.add({ kind: 'status', path, change: 'value', at: path, ...statuses });
      return found;
    }
    this.#bodies(primary, shadow, target, found);
    const bodiesEqual = found.differences.length === 0;
    this.#fields.compare(primary, shadow, bodiesEqual, (difference) => found.add(difference));
    return found;
  }

  #bodies(primary: Response, shadow: Response, target: string, found: Differences): void {
    const sameCoding = fieldOf(primary, 'content-encoding') === fieldOf(shadow, 'content-encoding');
    const whole = !primary.truncated && !shadow.truncated;
    if (whole && sameCoding && Buffer.compare(primary.body, shadow.body) === 0) return;
    const [a, b] = [readBody(primary), readBody(shadow)];
    if (a.fault !== null || b.fault !== null) {
      found.add(notComparable((a.fault ?? b.fault)!, a.fault, b.fault));
      return;
    }
    if (Buffer.compare(a.bytes, b.bytes) === 0) return;
    if (a.bytes.length === 0 || b.bytes.length === 0) {
      const empty = (bytes: Uint8Array) => (bytes.length === 0 ? 'empty' : null);
      found.add(notComparable('empty', empty(a.bytes), empty(b.bytes)));
      return;
    }
    this.#contents(contentOf(primary, a.bytes, target), contentOf(shadow, b.bytes, target), found);
  }

  #contents(primary: Content, shadow: Content, found: Differences): void {
    try {
      diffContents(primary, shadow, this.#documents, this.#descriptors, (difference) =>
        found.add(difference),
      );
    } catch (error) {
      if (!(error instanceof ContentFault)) throw error;
      found.add(notComparable((error.primary ?? error.shadow)!, error.primary, error.shadow));
    }
  }
}

/** The differences of one pair, one for each group, and so many of them. */
class Differences implements Comparison {
  readonly differences: Difference[] = [];
  more = 0;
  readonly #groups = new Set<string>();

  add(difference: Difference): void {
    const { kind, change, path } = difference;
    const group = `${kind} ${change} ${path}`;
    if (this.#groups.has(group)) return;
    if (this.#groups.size >= limits.pairDifferences) {
      this.more++;
      return;
    }
    this.#groups.add(group);
    this.differences.push(difference);
  }
}

/** What an analyst that failed or was ended left behind. */
export function notComparedAtAll(reason: NotComparableReason): Comparison {
  return { differences: [{ kind: 'not-comparable', path: reason, change: 'value', at: '' }], more: 0 };
}

function notComparable(
  reason: NotComparableReason,
  primary: NotComparableReason | null,
  shadow: NotComparableReason | null,
): Difference {
  return {
    kind: 'not-comparable',
    path: reason,
    change: 'value',
    at: '',
    primary: primary ?? 'ok',
    shadow: shadow ?? 'ok',
  };
}

/** `NOT_FOUND` of a gRPC call; the HTTP status of anything else. */
function statusText({ status }: Response, grpc: GrpcStatus): string {
  return grpc === GrpcStatus.NONE ? String(status) : grpcStatusName(grpc);
}

function contentOf(response: Response, bytes: Uint8Array, target: string): Content {
  const [contentType, messageCoding] = [
    fieldOf(response, 'content-type'),
    fieldOf(response, 'grpc-encoding'),
  ];
  return { bytes, contentType, messageCoding, target };
}

type ReadBody = { readonly bytes: Uint8Array; readonly fault: NotComparableReason | null };

function readBody(response: Response): ReadBody {
  if (response.truncated) return { bytes: response.body, fault: 'too-large' };
  if (response.body.length === 0) return { bytes: response.body, fault: null };
  const decoded = attempt(() => decodeBody(response.body, fieldOf(response, 'content-encoding')));
  return decoded.fault === null
    ? { bytes: decoded.value, fault: null }
    : { bytes: response.body, fault: decoded.fault };
}
