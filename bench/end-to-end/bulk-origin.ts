/** A process: an origin for large bodies. POST counts what arrives, GET /BYTES answers with that many. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline, Readable } from 'node:stream';

const block = Buffer.alloc(64 * 1024, '.');

/** `bytes` bytes as a stream that is never in memory as a whole. */
export function blocks(bytes: number): Readable {
  let left = bytes;
  return new Readable({
    read(): void {
      const size = Math.min(left, block.length);
      left -= size;
      this.push(size === 0 ? null : block.subarray(0, size));
    },
  });
}

if (process.send !== undefined) {
  const server = createServer((request, response) => {
    if (request.method === 'GET') {
      const bytes = Number(request.url!.slice(1));
      response.writeHead(200, { 'content-length': bytes });
      pipeline(blocks(bytes), response, () => {});
      return;
    }
    let received = 0;
    request.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    request.on('end', () => {
      const text = String(received);
      response.writeHead(200, { 'content-length': text.length }).end(text);
    });
  });
  process.on('disconnect', () => process.exit());
  server.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as AddressInfo).port }));
}
