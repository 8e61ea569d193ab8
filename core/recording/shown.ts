/** What is kept of a copy and of the primary's response to it: all that came, or what redaction leaves. */
import type { CopiedResponse, Copy } from '../sink/sink.js';
import type { Redactor } from './redactor.js';

/** A body as it is kept: one that came, or what redaction made of it. */
export interface Content {
  readonly body: readonly Uint8Array[];
  readonly bodyBytes: number;
  readonly changed?: boolean;
  readonly withheld?: boolean;
}

export interface ShownRequest {
  readonly target: string;
  readonly fields: string;
  readonly trailers: string;
  readonly content: Content;
}

export interface ShownResponse {
  readonly statusLine: string;
  readonly fields: string;
  readonly trailers: string;
  readonly content: Content;
}

export function wholeRequest(copy: Copy): ShownRequest {
  return { target: copy.target, fields: copy.fields, trailers: copy.trailers, content: copy };
}

export function safeRequest(copy: Copy, redactor: Redactor): ShownRequest {
  const content = redactor.message(copy.fields, copy.body, copy.bodyBytes);
  const trailers = redactor.message(copy.trailers, [], 0).fields;
  return { target: redactor.target(copy.target), fields: content.fields, trailers, content };
}

export function wholeResponse(response: CopiedResponse): ShownResponse {
  const { head } = response;
  const whole = head.endsWith('\r\n') ? head : `${head}\r\n`;
  const statusEnd = whole.indexOf('\r\n') + 2;
  return {
    statusLine: whole.slice(0, statusEnd),
    fields: whole.slice(statusEnd),
    trailers: response.trailers,
    content: response,
  };
}

export function safeResponse(
  { statusLine, fields, trailers: asTheyCame, content }: ShownResponse,
  redactor: Redactor,
): ShownResponse {
  const safe = redactor.message(fields, content.body, content.bodyBytes);
  const trailers = redactor.message(asTheyCame, [], 0).fields;
  return { statusLine, fields: safe.fields, trailers, content: safe };
}

/** Whether `safe` lacks anything of `whole`. */
export function hides<T extends ShownRequest | ShownResponse>(whole: T, safe: T): boolean {
  if (safe.content.changed === true) return true;
  if (safe.fields !== whole.fields || safe.trailers !== whole.trailers) return true;
  return 'target' in whole && 'target' in safe && safe.target !== whole.target;
}
