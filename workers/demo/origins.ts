/**
 * Two versions of a small service, `reviews`, as real HTTP servers: v1 returns texts, and v2 adds stars and
 * takes slightly longer.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { ServiceName } from '../../config/commands/demo.js';

const texts = [
  { reviewer: 'Ada', text: 'Read it twice, and found a new room in it the second time.' },
  { reviewer: 'Lin', text: 'The middle is slow. The end is worth it.' },
];
const stars = [5, 4];

/** Delays in milliseconds: the minimum, and the random part. */
const delaysMs = { v1: { least: 2, chance: 4 }, v2: { least: 4, chance: 7 } };

/**
 * `serveOrigin` serves one version on loopback; port 0 selects a free port. It fails the share `failing` of
 * its requests. It rejects with the system's error.
 */
export function serveOrigin(version: ServiceName, port: number, failing = 0): Promise<Server> {
  const { least, chance } = delaysMs[version];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    request.resume();
    request.on('end', () =>
      setTimeout(
        () => answer(version, request, response, Math.random() < failing),
        least + Math.random() * chance,
      ),
    );
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

function answer(
  version: ServiceName,
  request: IncomingMessage,
  response: ServerResponse,
  fails: boolean,
): void {
  if (fails) {
    response.writeHead(500, { 'content-type': 'application/json' }).end('{"error":"out of stars"}\n');
    return;
  }
  const id = /^\/reviews\/(\d+)$/.exec(request.url ?? '')?.[1];
  if (id === undefined) {
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"no such page"}\n');
    return;
  }
  const reviews =
    version === 'v1' ? texts : texts.map((review, index) => ({ ...review, stars: stars[index] }));
  response
    .writeHead(200, { 'content-type': 'application/json' })
    .end(`${JSON.stringify({ id: Number(id), version, reviews })}\n`);
}
