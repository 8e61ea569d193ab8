/**
 * The demo's two versions of one small service, `reviews`, as real HTTP servers in a thread of their own:
 * v1 answers with texts, v2 adds stars and takes a little longer.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parentPort } from 'node:worker_threads';

export interface OriginPorts {
  readonly v1: number;
  readonly v2: number;
}

const texts = [
  { reviewer: 'Ada', text: 'Read it twice, and found a new room in it the second time.' },
  { reviewer: 'Lin', text: 'The middle is slow. The end is worth it.' },
];
const stars = [5, 4];

/** Milliseconds: the least, and how much chance adds. */
const delaysMs = { v1: { least: 2, chance: 4 }, v2: { least: 4, chance: 7 } };

function serve(version: 'v1' | 'v2'): Promise<Server> {
  const { least, chance } = delaysMs[version];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    request.resume();
    request.on('end', () => setTimeout(() => answer(version, request, response), least + Math.random() * chance));
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

function answer(version: 'v1' | 'v2', request: IncomingMessage, response: ServerResponse): void {
  const id = /^\/reviews\/(\d+)$/.exec(request.url ?? '')?.[1];
  if (id === undefined) {
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"no such page"}\n');
    return;
  }
  const reviews = version === 'v1' ? texts : texts.map((review, index) => ({ ...review, stars: stars[index] }));
  response
    .writeHead(200, { 'content-type': 'application/json' })
    .end(`${JSON.stringify({ id: Number(id), version, reviews })}\n`);
}

if (parentPort !== null) {
  const [v1, v2] = await Promise.all([serve('v1'), serve('v2')]);
  const ports: OriginPorts = {
    v1: (v1.address() as AddressInfo).port,
    v2: (v2.address() as AddressInfo).port,
  };
  parentPort.postMessage(ports);
}
