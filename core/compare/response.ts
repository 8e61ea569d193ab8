/** A captured response as an analyst reads it. */
import { isGrpcType } from '../grpc/grpc-method.js';
import { GrpcStatus, grpcOutcome, httpStatusOfGrpc, parseGrpcStatus } from '../grpc/grpc-status.js';
import { withoutBlanks } from '../trim.js';
import type { PairSide } from './pair-port.js';

export interface Response {
  readonly status: number;
  /** By lower-case name; values in order of arrival. */
  readonly fields: ReadonlyMap<string, readonly string[]>;
  readonly body: Uint8Array;
  readonly truncated: boolean;
}

/** The head is what `headText` wrote. */
export function readResponse({ status, head, body, truncated }: PairSide): Response {
  const fields = new Map<string, string[]>();
  const lines = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('latin1').split('\r\n');
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(':');
    if (colon < 1) continue;
    const name = withoutBlanks(line.slice(0, colon)).toLowerCase();
    const value = withoutBlanks(line.slice(colon + 1));
    const values = fields.get(name);
    if (values === undefined) fields.set(name, [value]);
    else values.push(value);
  }
  return { status, fields, body, truncated };
}

/** All values of a field, joined as a list; empty without it. */
export function fieldOf(response: Response, lowerName: string): string {
  return response.fields.get(lowerName)?.join(', ') ?? '';
}

/** The status of a response to a gRPC call, from its head or its trailers; `NONE` for any other response. */
export function grpcStatusIn(response: Response): GrpcStatus {
  const value = response.fields.get('grpc-status')?.at(-1);
  if (value !== undefined) return parseGrpcStatus(value);
  if (!isGrpcType(fieldOf(response, 'content-type'))) return GrpcStatus.NONE;
  return grpcOutcome(GrpcStatus.NONE, response.status, true);
}

const word = Buffer.from('grpc');

/** The status that a captured response is judged by: for gRPC that of its `grpc-status`. */
export function judgedStatus(side: PairSide): number {
  if (!Buffer.from(side.head.buffer, side.head.byteOffset, side.head.byteLength).includes(word))
    return side.status;
  const status = grpcStatusIn(readResponse(side));
  return status === GrpcStatus.NONE ? side.status : httpStatusOfGrpc(status);
}
