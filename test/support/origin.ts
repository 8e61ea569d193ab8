/** A version of a service as a Node server that keeps what it was asked. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';

/** One request as it arrived, whole. */
export interface Received {
  readonly method: string;
  readonly target: string;
  /** In order, repeats kept; names in lower case, values as the bytes' char codes. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly framing: 'none' | 'length' | 'chunked';
  readonly bodyBytes: number;
  readonly bodySha: string;
}

export type Answer = (received: Received, response: ServerResponse, request: IncomingMessage) => void;

/** 200 and a short text. */
export const answerOk: Answer = (_received, response) => {
  response.setHeader('content-length', 3);
  response.end('ok\n');
};

/** More than umbra lets a client send. */
const headBytesMax = 1024 * 1024;

export class Origin {
  readonly received: Received[] = [];
  answer: Answer;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #wake: (() => void)[] = [];

  private constructor(answer: Answer, http2 = false) {
    this.answer = answer;
    const take = (request: IncomingMessage, response: ServerResponse): void => this.#take(request, response);
    // The API for HTTP/2 is compatible as far as answers use it.
    this.#server = http2
      ? (createHttp2Server({ maxHeaderListPairs: 1000 }, take as never) as unknown as Server)
      : createServer({ keepAliveTimeout: 0, requestTimeout: 0, maxHeaderSize: headBytesMax }, take);
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  static async listen(answer: Answer = answerOk, port = 0): Promise<Origin> {
    return Origin.#open(new Origin(answer), port);
  }

  /** A server of Node for HTTP/2 without TLS. */
  static async listenHttp2(answer: Answer = answerOk, port = 0): Promise<Origin> {
    return Origin.#open(new Origin(answer, true), port);
  }

  static async #open(origin: Origin, port: number): Promise<Origin> {
    origin.#server.listen(port, '127.0.0.1');
    await once(origin.#server, 'listening');
    return origin;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#sockets.size;
  }

  /** Resolves when this many requests have arrived whole since the start. */
  async untilReceived(count: number): Promise<void> {
    while (this.received.length < count) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const hash = createHash('sha256');
    let bodyBytes = 0;
    request.on('data', (piece: Buffer) => {
      hash.update(piece);
      bodyBytes += piece.length;
    });
    request.on('error', () => {});
    request.on('end', () => {
      const received: Received = {
        method: request.method!,
        target: request.url!,
        fields: fieldsOf(request.rawHeaders),
        framing:
          request.headers['transfer-encoding'] !== undefined
            ? 'chunked'
            : request.headers['content-length'] !== undefined
              ? 'length'
              : 'none',
        bodyBytes,
        bodySha: hash.digest('base64'),
      };
      this.received.push(received);
      this.answer(received, response, request);
      for (const wake of this.#wake.splice(0)) wake();
    });
  }
}

export function fieldsOf(rawHeaders: readonly string[]): [string, string][] {
  const fields: [string, string][] = [];
  for (let i = 0; i < rawHeaders.length; i += 2)
    fields.push([rawHeaders[i].toLowerCase(), rawHeaders[i + 1]]);
  return fields;
}

/** The value of the field, or null. */
export function fieldOf(received: Received, name: string): string | null {
  return received.fields.find((field) => field[0] === name)?.[1] ?? null;
}
