/** The changes that a replay makes to recorded requests. Plain data that crosses threads. */
import { applyEdits } from '../http/field-edits.js';
import type { HeaderEdits } from '../plan.js';
import type { RecordedRequest } from '../recording/recorded.js';

export interface RequestEdits {
  /** Names are lower case. */
  readonly headers: HeaderEdits;
  /** `value` replaces `prefix` at the beginning of a target. */
  readonly paths: readonly { readonly prefix: string; readonly value: string }[];
  /** Null: the recorded host, or the server's. */
  readonly host: string | null;
}

/**
 * `editedRequest` applies the edits: it removes fields, sets fields, and applies each path change in turn.
 */
export function editedRequest(
  request: RecordedRequest,
  { headers, paths, host }: RequestEdits,
): RecordedRequest {
  let { target } = request;
  for (const { prefix, value } of paths) {
    if (target.startsWith(prefix)) target = value + target.slice(prefix.length);
  }
  return { ...request, target, fields: applyEdits(request.fields, headers), host: host ?? request.host };
}
