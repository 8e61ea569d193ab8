/**
 * Why the engine answers a request itself and closes the connection. The request never reaches the proxy: where two
 * parsers could disagree about a message, forwarding it would let its sender choose which of them is fooled.
 */
export const Refusal = {
  NONE: 0,
  METHOD: 1,
  CONNECT: 2,
  TARGET: 3,
  HOST: 4,
  FIELD: 5,
  LENGTH: 6,
  CODING: 7,
  EXPECTATION: 8,
} as const;
export type Refusal = (typeof Refusal)[keyof typeof Refusal];

export interface RefusalAnswer {
  readonly status: number;
  readonly body: string;
}

/** By `Refusal`. */
export const refusalAnswers: readonly RefusalAnswer[] = [
  { status: 500, body: '' },
  { status: 400, body: 'The method is not a token.\n' },
  { status: 501, body: 'CONNECT is not supported.\n' },
  { status: 400, body: 'The target has bytes that are not UTF-8.\n' },
  { status: 400, body: 'The Host field is not one valid host.\n' },
  { status: 400, body: 'A field has bytes that are not UTF-8.\n' },
  { status: 400, body: 'The Content-Length field is not one valid length.\n' },
  { status: 501, body: 'The only transfer coding that is supported is chunked.\n' },
  { status: 417, body: 'The only expectation that is supported is 100-continue.\n' },
];
