/**
 * Two versions of a small gRPC service as real servers of Node's HTTP/2. v2 gives other stars and another
 * status for a book that is missing, and takes slightly longer.
 *
 *   service Reviews { rpc Get(Book) returns (Review); }
 *   message Book { int32 id = 1; }
 *   message Review { int32 id = 1; string text = 2; int32 stars = 3; }
 */
import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { ServiceName } from '../../config/commands/demo.js';
import { GrpcStatus } from '../../core/grpc/grpc-status.js';
import { framedMessage } from '../../core/grpc/message-counter.js';
import { Scalar } from '../../core/protobuf/field-type.js';
import { Wire } from '../../core/protobuf/wire-format.js';
import { bytesField, tag, varint } from '../../core/protobuf/wire-writer.js';

export const getMethod = '/reviews.Reviews/Get';
/** Books from 1 to 9; the last one is missing. */
export const bookCount = 9;
const stars = { v1: 4, v2: 5 } as const;
const missingStatus = { v1: GrpcStatus.NOT_FOUND, v2: GrpcStatus.FAILED_PRECONDITION } as const;
/** Delays in milliseconds: the minimum, and the random part. */
const delaysMs = { v1: { least: 2, chance: 4 }, v2: { least: 4, chance: 7 } } as const;

/** The message `Book`, with its prefix. */
export function bookMessage(id: number): Buffer {
  return framedMessage(integer(1, id));
}

/**
 * `serveGrpcOrigin` serves one version on loopback; port 0 selects a free port. It fails the share `failing`
 * of its calls. It rejects with the system's error.
 */
export function serveGrpcOrigin(version: ServiceName, port: number, failing = 0): Promise<Http2Server> {
  const { least, chance } = delaysMs[version];
  const server = createServer();
  server.on('stream', (stream, { ':path': path }) => {
    const pieces: Buffer[] = [];
    stream.on('error', () => {});
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('end', () =>
      setTimeout(
        () => {
          if (stream.closed) return;
          if (path !== getMethod) end(stream, GrpcStatus.UNIMPLEMENTED);
          else if (Math.random() < failing) end(stream, GrpcStatus.INTERNAL, 'out of stars');
          else answer(stream, version, Buffer.concat(pieces).at(-1) ?? 0);
        },
        least + Math.random() * chance,
      ),
    );
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

function answer(stream: ServerHttp2Stream, version: ServiceName, id: number): void {
  if (id === bookCount) {
    end(stream, missingStatus[version], 'no such book');
    return;
  }
  const review = [
    integer(1, id),
    bytesField(2, Buffer.from('The middle is slow. The end is worth it.')),
    integer(3, stars[version]),
  ];
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(framedMessage(Buffer.concat(review)));
}

/** An answer without a message. */
function end(stream: ServerHttp2Stream, status: number, text = ''): void {
  const fields = { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': String(status) };
  stream.respond({ ...fields, ...(text === '' ? {} : { 'grpc-message': text }) }, { endStream: true });
}

/** The descriptor set of the service, as protoc would write it. */
export function reviewsDescriptors(): Buffer {
  const [fileOfSet, nameOf, packageOf, messageOf, serviceOf, syntaxOf] = [1, 1, 2, 4, 6, 12];
  const text = (number: number, value: string) => bytesField(number, Buffer.from(value));
  const field = (name: string, number: number, type: number) =>
    bytesField(2, Buffer.concat([text(1, name), integer(3, number), integer(4, 1), integer(5, type)]));
  const messageType = (name: string, ...fields: Buffer[]) =>
    bytesField(messageOf, Buffer.concat([text(1, name), ...fields]));
  const method = Buffer.concat([text(1, 'Get'), text(2, '.reviews.Book'), text(3, '.reviews.Review')]);
  const file = [
    text(nameOf, 'reviews.proto'),
    text(packageOf, 'reviews'),
    messageType('Book', field('id', 1, Scalar.INT32)),
    messageType(
      'Review',
      field('id', 1, Scalar.INT32),
      field('text', 2, Scalar.STRING),
      field('stars', 3, Scalar.INT32),
    ),
    bytesField(serviceOf, Buffer.concat([text(1, 'Reviews'), bytesField(2, method)])),
    text(syntaxOf, 'proto3'),
  ];
  return bytesField(fileOfSet, Buffer.concat(file));
}

function integer(number: number, value: number): Buffer {
  return Buffer.concat([tag(number, Wire.VARINT), varint(BigInt(value))]);
}
