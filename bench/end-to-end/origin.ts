/**
 * A process: the origin behind every target. It answers each GET with the same bytes as fast as node:net allows, so that
 * what is measured is the proxy. It speaks HTTP/1.1 keep-alive, takes pipelined requests, and reads nothing but where a
 * head ends. On request of its parent it turns into a shadow with a fault.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { HeadCounter } from './head-counter.js';
import type { OriginAsk, OriginMode, OriginReport } from './origins.js';

const bodyBytes = 295;
const answer = Buffer.from(
  `HTTP/1.1 200 OK\r\ndate: Thu, 01 Jan 2026 00:00:00 GMT\r\nserver: origin\r\ncontent-type: text/plain\r\ncontent-length: ${bodyBytes}\r\n\r\n${'.'.repeat(bodyBytes)}`,
);

const sockets = new Set<Socket>();
let mode: OriginMode = 'answering';
let requests = 0;
let port = 0;

const server = createServer({ noDelay: true }, (socket) => {
  const heads = new HeadCounter();
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket));
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    const ended = heads.count(chunk);
    requests += ended;
    if (mode === 'hanging') return;
    if (mode === 'resetting') {
      socket.resetAndDestroy();
      return;
    }
    if (ended === 1) socket.write(answer);
    else if (ended > 1) socket.write(Buffer.concat(new Array<Buffer>(ended).fill(answer)));
  });
});

function report(): void {
  const message: OriginReport = { port, requests };
  process.send!(message);
}

/** `refusing` closes the port; every other mode listens on it again. Connections never outlive a mode. */
function turn(next: OriginMode): void {
  const wasRefusing = mode === 'refusing';
  mode = next;
  for (const socket of sockets) socket.destroy();
  if (next === 'refusing' && !wasRefusing) server.close(report);
  else if (next !== 'refusing' && wasRefusing) server.listen(port, '127.0.0.1', report);
  else report();
}

process.on('message', (ask: OriginAsk) => {
  if (ask.what === 'turn') turn(ask.mode);
  else report();
});
process.on('disconnect', () => process.exit());
server.listen(0, '127.0.0.1', 4096, () => {
  port = (server.address() as AddressInfo).port;
  report();
});
