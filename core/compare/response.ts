/** A captured response as an analyst reads it. */
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
