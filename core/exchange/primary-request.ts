/** The request as its primary gets it: the client's own, or with the changes that its route makes for that version. */
import { applyEdits } from '../http/field-edits.js';
import type { RequestHead } from '../http/message.js';
import { EXPECT_CONTINUE, upgradeLines, writeRequestHead } from '../http/request-writer.js';
import type { HeaderEdits, RoutePlan } from '../plan.js';
import { compilePathChange, type TargetChange } from '../route/path-change.js';

/** What a route changes of the requests that one version gets. */
export class RequestChange {
  readonly #target: TargetChange | null;
  readonly #host: string | null;
  /** The version's, then the route's: the order of Envoy. */
  readonly #edits: readonly HeaderEdits[];

  private constructor(target: TargetChange | null, host: string | null, edits: readonly HeaderEdits[]) {
    this.#target = target;
    this.#host = host;
    this.#edits = edits;
  }

  /** Null: nothing is changed. `own`: the edits of the version. */
  static of({ rewrite, headers }: RoutePlan, own: HeaderEdits | null): RequestChange | null {
    const path = rewrite?.path ?? null;
    const edits = [own, headers?.request ?? null].filter((one) => one !== null);
    if (path === null && (rewrite?.host ?? null) === null && edits.length === 0) return null;
    return new RequestChange(path === null ? null : compilePathChange(path), rewrite?.host ?? null, edits);
  }

  target(target: string): string {
    return this.#target === null ? target : this.#target(target);
  }

  host(host: string): string {
    return this.#host ?? host;
  }

  fields(fields: string): string {
    return this.#edits.reduce(applyEdits, fields);
  }
}

/** The head as it goes on the wire. `head` stays as it is: the copies are taken from it. */
export function primaryRequestHead(head: RequestHead, change: RequestChange | null): string {
  const { method, framing, contentLength, lengthZero } = head;
  const lines = linesForPrimary(head);
  if (change === null) {
    return writeRequestHead(
      method,
      head.target,
      head.host,
      head.fields + lines,
      framing,
      contentLength,
      lengthZero,
    );
  }
  const fields = change.fields(head.fields) + lines;
  const target = change.target(head.target);
  return writeRequestHead(method, target, change.host(head.host), fields, framing, contentLength, lengthZero);
}

/** What only the primary is asked: copies neither switch protocols nor wait for a word before their body. */
function linesForPrimary(head: RequestHead): string {
  if (head.upgrade !== '') return upgradeLines(head.upgrade);
  return head.expectsContinue ? EXPECT_CONTINUE : '';
}
