/**
 * A process: answers every request with a body that its reader may stop taking, and reports how much went
 * out. `/length` answers with a Content-Length, `/chunked` in chunks. Each message to it is answered with a
 * StalledReport.
 */
import { type AddressInfo, createServer } from 'node:net';

export interface StalledReport {
  readonly port: number;
  /** Bytes of heads, chunk framing and bodies that the kernel took; at most one block more per connection. */
  readonly sentBytes: number;
}

const bodyBytes = 2 ** 30;
/** Small, because what the kernel took of a block under way is not known. */
const block = Buffer.alloc(4096, '.');
const chunk = Buffer.concat([Buffer.from(`${block.length.toString(16)}\r\n`), block, Buffer.from('\r\n')]);

let sentBytes = 0;
const server = createServer((socket) => {
  socket.on('error', () => {});
  socket.once('data', (request) => {
    const isChunked = request.includes('/chunked');
    const framing = isChunked ? 'transfer-encoding: chunked' : `content-length: ${bodyBytes}`;
    const piece = isChunked ? chunk : block;
    let left = bodyBytes;
    const write = (bytes: Buffer): void => {
      socket.write(bytes, (error) => {
        if (error) return;
        sentBytes += bytes.length;
        left -= block.length;
        if (left > 0) write(piece);
      });
    };
    write(Buffer.from(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n`));
  });
});
server.listen(0, '127.0.0.1', report);
process.on('message', report);
process.on('disconnect', () => process.exit());

function report(): void {
  process.send!({ port: (server.address() as AddressInfo).port, sentBytes } satisfies StalledReport);
}
