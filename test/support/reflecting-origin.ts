/** A version of gRPC that answers server reflection, made of Node's HTTP/2 alone. */
import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { framedMessage, grpcMessages } from '../../core/grpc/message-counter.js';
import { readFields } from '../../core/protobuf/wire-format.js';
import { message } from '../core/protobuf/types.js';

export interface Reflected {
  /** The files of the server, by name: each a FileDescriptorProto. */
  files: ReadonlyMap<string, Buffer>;
  /** The file of each service. */
  services: ReadonlyMap<string, string>;
  /** The service that answers, `v1` or `v1alpha`; null: neither does. */
  version: 'v1' | 'v1alpha' | null;
}

/** `unary` answers every other call with one message. */
export class ReflectingOrigin {
  readonly port: number;
  /** Paths of all calls. */
  readonly called: string[] = [];
  reflected: Reflected;
  readonly #server: Http2Server;
  readonly #sessions = new Set<ServerHttp2Session>();

  static async listen(reflected: Reflected, unary: Buffer = Buffer.alloc(0)): Promise<ReflectingOrigin> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new ReflectingOrigin(server, reflected, unary);
  }

  private constructor(server: Http2Server, reflected: Reflected, unary: Buffer) {
    this.#server = server;
    this.reflected = reflected;
    this.port = (server.address() as AddressInfo).port;
    server.on('session', (session) => {
      this.#sessions.add(session);
      session.on('close', () => this.#sessions.delete(session));
    });
    server.on('stream', (stream, headers) => {
      const path = String(headers[':path']);
      this.called.push(path);
      stream.on('error', () => {});
      const { version } = this.reflected;
      if (path === `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`) this.#reflect(stream);
      else if (path.startsWith('/grpc.reflection.')) answer(stream, null, 12);
      else stream.on('end', () => answer(stream, unary, 0)).resume();
    });
  }

  async close(): Promise<void> {
    for (const session of this.#sessions) session.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #reflect(stream: ServerHttp2Stream): void {
    let held = Buffer.alloc(0);
    begin(stream, 0);
    stream.on('data', (piece: Buffer) => {
      held = Buffer.concat([held, piece]);
      const asked = grpcMessages(held);
      if (asked === null) return;
      held = Buffer.alloc(0);
      for (const { bytes } of asked) stream.write(framedMessage(this.#answerTo(bytes)));
    });
    stream.on('end', () => stream.end());
  }

  #answerTo(request: Buffer): Buffer {
    const { files, services } = this.reflected;
    const [{ number, bytes }] = readFields(request, { value: () => {} }, 0);
    if (number === 7) {
      const names = ['grpc.reflection.v1.ServerReflection', ...services.keys()];
      return message([6, names.map((name) => [1, [[1, name]]] as const)]);
    }
    const text = bytes.toString();
    const file = files.get(number === 4 ? (services.get(text) ?? '') : text);
    return file === undefined
      ? message([
          7,
          [
            [1, 5],
            [2, `no ${text}`],
          ],
        ])
      : message([4, [[1, file]]]);
  }
}

function begin(stream: ServerHttp2Stream, status: number): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(status) }));
}

function answer(stream: ServerHttp2Stream, bytes: Buffer | null, status: number): void {
  begin(stream, status);
  stream.end(bytes === null ? undefined : framedMessage(bytes));
}
