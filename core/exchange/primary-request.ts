/**
 * The request as its primary gets it: the client's own, with the changes that its route makes for that
 * version.
 */
import { editedFields, FieldEdits } from '../http/edited-fields.js';
import type { FormatSource } from '../http/format-source.js';
import type { RequestHead } from '../http/message.js';
import type { HeaderEdits, RoutePlan } from '../plan.js';
import { compilePathChange, type TargetChange } from '../route/path-change.js';
import type { UpstreamRequest } from '../upstream/upstream-request.js';

/** The changes of a route to the requests for one version. */
export class RequestChange {
  readonly #target: TargetChange | null;
  readonly #host: string | null;
  /** The edits of the route, then those of the version, which take precedence. */
  readonly #edits: readonly FieldEdits[];

  private constructor(target: TargetChange | null, host: string | null, edits: readonly FieldEdits[]) {
    this.#target = target;
    this.#host = host;
    this.#edits = edits;
  }

  /** `of` returns null when nothing is changed. `own` are the edits of the version. */
  static of({ rewrite, headers }: RoutePlan, own: HeaderEdits | null): RequestChange | null {
    const path = rewrite?.path ?? null;
    const edits = [headers?.request ?? null, own]
      .map((one) => FieldEdits.of(one, 'request'))
      .filter((one) => one !== null);
    if (path === null && (rewrite?.host ?? null) === null && edits.length === 0) return null;
    return new RequestChange(path === null ? null : compilePathChange(path), rewrite?.host ?? null, edits);
  }

  target(target: string): string {
    return this.#target === null ? target : this.#target(target);
  }

  host(host: string): string {
    return this.#host ?? host;
  }

  /** A value has commands, so `fields` needs a source. */
  get hasCommands(): boolean {
    return this.#edits.some((edits) => edits.hasCommands);
  }

  fields(fields: string, source: FormatSource | null): string {
    return editedFields(fields, this.#edits, source);
  }
}

/**
 * `fillPrimaryHead` sets the head of the request for the primary. It does not change `head`, which the copies
 * are made from. Only the primary gets an upgrade or Expect: copies neither switch protocols nor wait before
 * their body.
 */
export function fillPrimaryHead(
  request: UpstreamRequest,
  head: RequestHead,
  change: RequestChange | null,
  source: FormatSource | null,
): void {
  request.method = head.method;
  request.target = change === null ? head.target : change.target(head.target);
  request.host = change === null ? head.host : change.host(head.host);
  request.fields = change === null ? head.fields : change.fields(head.fields, source);
  request.framing = head.framing;
  request.contentLength = head.contentLength;
  request.lengthZero = head.lengthZero;
  request.upgrade = head.upgrade;
  request.expectsContinue = head.expectsContinue;
  request.neverIndexed = head.neverIndexed;
}
