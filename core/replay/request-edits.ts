/** What a replay changes in recorded requests before they are sent. Plain data that crosses threads. */
import { applyEdits } from '../http/field-edits.js';
import type { HeaderEdits } from '../plan.js';
import type { RecordedRequest } from '../recording/recorded.js';

export interface RequestEdits {
  /** Names are lower case. */
  readonly headers: HeaderEdits;
  /** `value` takes the place of `prefix` where a target begins with it. */
  readonly paths: readonly { readonly prefix: string; readonly value: string }[];
  /** Null: the recorded one, or the server's. */
  readonly host: string | null;
}

/** Applies the edits: fields that are removed, then those that are set, and each path in turn. */
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
