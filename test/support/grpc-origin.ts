/** Versions and clients that speak gRPC, made of Node's own HTTP alone. */
import { createServer, type Server } from 'node:http';
import {
  type ClientHttp2Session,
  createServer as createHttp2Server,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { framedMessage, grpcMessages } from '../../core/grpc/message-counter.js';
import { ask2 } from './http2-client.js';

export interface GrpcCalled {
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly messages: readonly Buffer[];
}

export interface GrpcAnswer {
  readonly messages?: readonly Buffer[];
  /** 0 without one. */
  readonly status?: number;
  readonly text?: string;
  /** The status stands in the head, and there are no messages. */
  readonly trailersOnly?: boolean;
}

/** Answers a call whose request is complete; null leaves it without an answer. */
export type GrpcHandler = (called: GrpcCalled) => GrpcAnswer | null | Promise<GrpcAnswer | null>;

/** A version with unary methods. Over `http1` its trailers are those of chunks. */
export class GrpcOrigin {
  readonly port: number;
  readonly called: GrpcCalled[] = [];
  readonly #server: Server | Http2Server;
  readonly #open = new Set<Socket | ServerHttp2Session>();

  static async listen(handler: GrpcHandler, protocol: 'http1' | 'http2' = 'http2'): Promise<GrpcOrigin> {
    const called: GrpcCalled[] = [];
    const heard = async (path: string, fields: Record<string, unknown>, body: Buffer) => {
      const call = { path, fields, messages: grpcMessages(body)!.map(({ bytes }) => bytes) };
      called.push(call);
      return handler(call);
    };
    const server = protocol === 'http1' ? http1Server(heard) : http2Server(heard);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new GrpcOrigin(server, called);
  }

  private constructor(server: Server | Http2Server, called: GrpcCalled[]) {
    this.#server = server;
    this.called = called;
    this.port = (server.address() as AddressInfo).port;
    const keep = (one: Socket | ServerHttp2Session) => {
      this.#open.add(one);
      one.on('close', () => this.#open.delete(one));
    };
    server.on('connection', keep);
    server.on('session', keep);
  }

  async close(): Promise<void> {
    for (const one of this.#open) one.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

type Heard = (path: string, fields: Record<string, unknown>, body: Buffer) => Promise<GrpcAnswer | null>;

const headOf = (answer: GrpcAnswer) => ({
  'content-type': 'application/grpc',
  ...(answer.trailersOnly === true ? trailersOf(answer) : {}),
});

function trailersOf({ status = 0, text }: GrpcAnswer): Record<string, string> {
  return { 'grpc-status': String(status), ...(text === undefined ? {} : { 'grpc-message': text }) };
}

function http1Server(heard: Heard): Server {
  return createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', async () => {
      const answer = await heard(request.url!, request.headers, Buffer.concat(pieces));
      if (answer === null) return;
      response.writeHead(200, headOf(answer));
      if (answer.trailersOnly !== true) {
        for (const message of answer.messages ?? []) response.write(framedMessage(message));
        response.addTrailers(trailersOf(answer));
      }
      response.end();
    });
  });
}

function http2Server(heard: Heard): Http2Server {
  const server = createHttp2Server();
  server.on('stream', (stream: ServerHttp2Stream, fields) => {
    const pieces: Buffer[] = [];
    stream.on('error', () => {});
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('end', async () => {
      const answer = await heard(String(fields[':path']), { ...fields }, Buffer.concat(pieces));
      if (answer === null || stream.closed) return;
      const isOnly = answer.trailersOnly === true;
      stream.respond({ ':status': 200, ...headOf(answer) }, { waitForTrailers: !isOnly, endStream: isOnly });
      if (isOnly) return;
      stream.on('wantTrailers', () => stream.sendTrailers(trailersOf(answer)));
      for (const message of answer.messages ?? []) stream.write(framedMessage(message));
      stream.end();
    });
  });
  return server;
}

export interface GrpcAnswered {
  readonly status: number;
  readonly text: string | undefined;
  readonly messages: readonly Buffer[];
}

/** One unary call. */
export async function callGrpc(
  session: ClientHttp2Session,
  path: string,
  message: Buffer,
  fields: Record<string, string> = {},
): Promise<GrpcAnswered> {
  const { headers, trailers, body } = await ask2(session, {
    method: 'POST',
    target: path,
    headers: { 'content-type': 'application/grpc', te: 'trailers', ...fields },
    body: framedMessage(message),
  });
  const all = { ...headers, ...trailers };
  return {
    status: Number(all['grpc-status']),
    text: all['grpc-message'] as string | undefined,
    messages: grpcMessages(body)!.map(({ bytes }) => bytes),
  };
}
