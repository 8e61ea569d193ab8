/** Compares two complete responses, as a live mirror compares every pair (core/mirror). */
import { GrpcStatus } from '../grpc/grpc-status.js';
import { fieldValues } from '../http/fields.js';
import type { ComparePlan } from '../plan.js';
import { Differs } from '../record/mirror-counters.js';
import type { RecordedResponse, ResponseContent } from '../recording/recorded.js';
import { redacted } from '../redact-text.js';

/** `differenceOf` returns bits of `Differs`. What the recording does not contain counts as equal. */
export function differenceOf(
  primary: RecordedResponse,
  shadow: RecordedResponse,
  { digest, headers }: ComparePlan,
): number {
  let differs = statusDiffers(primary, shadow) ? Differs.STATUS : 0;
  if (headers.some((name) => fieldDiffers(name, primary.content, shadow.content))) differs |= Differs.HEADER;
  if (primary.truncated) return differs;
  if (primary.bytes !== shadow.bytes) differs |= Differs.SIZE;
  if (digest && primary.digest !== null && primary.digest !== shadow.digest) differs |= Differs.BODY;
  return differs;
}

/** Two gRPC statuses differ that stand for one HTTP status, where both are known. */
function statusDiffers(primary: RecordedResponse, shadow: RecordedResponse): boolean {
  if (primary.status !== shadow.status) return true;
  const [a, b] = [primary.grpcStatus, shadow.grpcStatus];
  return a !== b && a !== GrpcStatus.NONE && b !== GrpcStatus.NONE;
}

function fieldDiffers(
  name: string,
  primary: ResponseContent | null,
  shadow: ResponseContent | null,
): boolean {
  if (primary === null || shadow === null) return false;
  const recorded = fieldValues(primary.head, name);
  return recorded !== redacted && recorded !== fieldValues(shadow.head, name);
}
