/** A server in Node's streams of HTTP/2, for what its API of requests does not show. */
import { once } from 'node:events';
import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Test } from './tap.js';

/** Resolves with the port. The server and its sessions end with the test. */
export async function listenStreams(
  t: Test,
  onStream: (stream: ServerHttp2Stream, headers: object) => void,
  server: Http2Server = createServer(),
): Promise<number> {
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => {});
    session.on('close', () => sessions.delete(session));
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    onStream(stream, headers);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
