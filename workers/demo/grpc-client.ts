/** gRPC calls of the demo, on one connection of Node's HTTP/2. */
import { randomUUID } from 'node:crypto';
import { connect } from 'node:http2';
import { GrpcStatus } from '../../core/grpc/grpc-status.js';
import type { DemoClient } from './callers.js';
import { bookCount, bookMessage, getMethod } from './grpc-service.js';

export class GrpcClient implements DemoClient {
  readonly #session;

  constructor(url: string) {
    this.#session = connect(url);
    // Each of its calls fails too, and is counted.
    this.#session.on('error', () => {});
  }

  call(number: number, over: (isGood: boolean) => void): void {
    const id = 1 + (number % bookCount);
    let status = -1;
    const stream = this.#session.request({
      ':method': 'POST',
      ':path': getMethod,
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': 'umbra-demo',
      'x-request-id': randomUUID(),
    });
    const take = (fields: Readonly<Record<string, unknown>>): void => {
      status = Number(fields['grpc-status'] ?? status);
    };
    stream.on('response', take);
    stream.on('trailers', take);
    stream.on('error', () => {});
    stream.on('close', () => over(status === (id === bookCount ? GrpcStatus.NOT_FOUND : GrpcStatus.OK)));
    stream.resume();
    stream.end(bookMessage(id));
  }

  close(): void {
    this.#session.close();
  }
}
