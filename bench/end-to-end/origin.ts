/**
 * A process: the origin behind every target. It answers each request with the same bytes as fast as node:net
 * allows, so that what is measured is the proxy. It speaks HTTP/1.1 keep-alive, takes pipelined requests, and
 * reads nothing but where a request ends. On request of its parent it turns into a shadow with a fault.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { OriginAsk, OriginMode, OriginReport } from './origins.js';
import { RequestCounter } from './request-counter.js';

const bodyBytes = 295;
const megabyte = 1_000_000;
const floodBytes = 10 * megabyte;
const slowMs = 1000;
const [, , kind = 'text', name = ''] = process.argv;
const answer = kind === 'json' ? jsonAnswer() : answerOf(kind === 'megabyte' ? megabyte : bodyBytes);
/** Made when it is first asked for. */
let flood: Buffer | null = null;

const sockets = new Set<Socket>();
let mode: OriginMode = 'answering';
let requests = 0;
let port = 0;

function answerOf(bytes: number): Buffer {
  return answerWith('text/plain', '.'.repeat(bytes));
}

/** A body of the same length as the text, with a member that distinguishes the origins. */
function jsonAnswer(): Buffer {
  const items = [1, 2, 3].map((id) => ({ id, text: '.'.repeat(20), price: id * 1.5 }));
  return answerWith('application/json', JSON.stringify({ name: name.padEnd(8), items }).padEnd(bodyBytes));
}

function answerWith(type: string, body: string): Buffer {
  return Buffer.from(
    `HTTP/1.1 200 OK\r\ndate: Thu, 01 Jan 2026 00:00:00 GMT\r\nserver: origin\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
}

const server = createServer({ noDelay: true }, (socket) => {
  const counter = new RequestCounter();
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket));
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    const ended = counter.count(chunk);
    requests += ended;
    if (mode === 'resetting') socket.resetAndDestroy();
    else if (mode === 'slow') setTimeout(() => write(socket, answer, ended), slowMs);
    else if (mode === 'flooding') {
      flood ??= answerOf(floodBytes);
      write(socket, flood, ended);
    } else if (mode === 'answering') write(socket, answer, ended);
  });
});

function write(socket: Socket, bytes: Buffer, times: number): void {
  for (let i = 0; i < times && !socket.destroyed; i++) socket.write(bytes);
}

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
