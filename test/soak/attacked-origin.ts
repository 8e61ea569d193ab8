/**
 * The versions behind an umbra that is attacked, in a process of their own: the primary and its shadows on
 * one port of two loopback addresses, and a WebSocket server. It says its port when it listens, takes
 * `hostile` (shadows answer with long runs of blanks) and `friendly`, and ends with its parent.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocketServer } from 'ws';

const blanks = ' '.repeat(60_000);
const hostileHead = `HTTP/1.1 200 OK\r\nContent-Length: 2${blanks}2\r\nConnection: x${blanks.slice(0, 2000)}y\r\n\r\n`;
const message = Buffer.alloc(15 * 1024 * 1024);
/** With `host: shadow`, the default of a mirror. */
const shadowMark = '-shadow';
let isHostile = false;

async function listen(host: string, port: number): Promise<Server> {
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    request.resume();
    request.on('end', () => {
      if (isHostile && request.headers.host?.includes(shadowMark)) request.socket.end(hostileHead, 'latin1');
      else response.end('ok\n');
    });
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket as Socket, head, (client) => {
      client.on('error', () => {});
      client.send(message);
    });
  });
  server.listen(port, host);
  await once(server, 'listening');
  return server;
}

if (process.send !== undefined) {
  process.on('disconnect', () => process.exit(0));
  process.on('message', (order) => {
    isHostile = order === 'hostile';
  });
  const { port } = (await listen('127.0.0.1', 0)).address() as AddressInfo;
  // Only Linux has a second loopback address without further ado.
  if (process.platform === 'linux') await listen('127.0.0.2', port);
  process.send(port);
}
