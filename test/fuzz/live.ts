/**
 * A real umbra between hostile clients, a hostile primary and a hostile shadow. What must hold: the process
 * lives, requests of others are answered, every connection that owes an end gets one, both sides only ever
 * see messages that Node's strict parser takes, and at rest every request is accounted for.
 */
import { RawClient } from '../support/client.js';
import { Origin } from '../support/origin.js';
import { type RawPeer, RawServer } from '../support/raw-server.js';
import { gapOf, isAtRest, openOf, reviews, UmbraProcess } from '../support/umbra.js';
import { anyRequest, anyResponse, shown } from './messages.js';
import { readByNode } from './node-parser.js';
import { Chance } from './random.js';
import { attackInRounds } from './rounds.js';

const routeTimeoutMs = 150;
/** No answer to a plain request of somebody else takes longer, or umbra hangs. */
const controlMs = 10_000;
/** A client that has sent a whole plain request waits so long for an end. */
const patienceMs = 10_000;
/** A client that owes bytes itself leaves after so long. */
const impatienceMs = 30;
const clientsAtOnce = 32;
/** Requests of one round, after which umbra comes to rest. */
const roundRequests = 400;

/**
 * Runs until `stop` says so; resolves with the number of connections made. Throws where something is wrong.
 */
export async function fuzzLive(engine: string, seed: number, stop: () => boolean): Promise<number> {
  const chance = new Chance(seed);
  const wrong: string[] = [];
  const primary = await RawServer.listen((peer) => hostile(peer, new Chance(chance.below(2 ** 32)), wrong));
  const shadow = await RawServer.listen((peer) => hostile(peer, new Chance(chance.below(2 ** 32)), wrong));
  const good = await Origin.listen();
  const config = reviews(primary.port, shadow.port, {
    route: { timeouts: { request: `${routeTimeoutMs}ms`, total: `${routeTimeoutMs}ms` } },
    mirror: { timeouts: { request: `${routeTimeoutMs}ms`, total: `${routeTimeoutMs}ms` } },
  });
  config.versions.good = { endpoints: `http://127.0.0.1:${good.port}` };
  config.routes.unshift({ name: 'good', match: { path: { exact: '/good' } }, primary: 'good' });
  config.listen = [{ address: '127.0.0.1:0', engine }];
  const umbra = await UmbraProcess.start(config);
  return attackInRounds({
    umbra,
    clientsAtOnce,
    connections: roundRequests,
    wrong,
    stop,
    attack: () => attack(umbra.port, engine, new Chance(chance.below(2 ** 32)), wrong),
    othersAreServed: () => othersAreServed(umbra.port),
    check: (stats) => {
      if (isAtRest(stats)) return;
      const gaps = stats.mirrors.map((mirror) => `gap ${gapOf(mirror)}, in flight ${mirror.inFlight}`);
      throw new Error(`not accounted for: ${gaps.join()}; open exchanges ${openOf(stats)}`);
    },
    close: () => Promise.all([primary.close(), shadow.close(), good.close()]),
  });
}

/** One hostile client. */
async function attack(port: number, engine: string, chance: Chance, wrong: string[]): Promise<void> {
  const client = await RawClient.connect(port);
  const plain = chance.onceIn(3);
  let text = plain
    ? `GET /${chance.below(1000)} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`
    : anyRequest(chance);
  if (!plain) while (chance.onceIn(3)) text += anyRequest(chance);
  for (const piece of chance.pieces(text, plain ? 0 : 4)) {
    client.send(piece);
    if (chance.onceIn(2)) await new Promise(setImmediate);
    if (client.closed) break;
  }
  if (plain) {
    if (!(await closesWithin(client, patienceMs)))
      wrong.push(`a plain request got no end; ${told(text, client)}`);
  } else if (chance.onceIn(4)) {
    client.socket.resetAndDestroy();
  } else {
    if (chance.onceIn(3)) client.socket.end();
    await closesWithin(client, chance.below(impatienceMs));
  }
  client.close();
  // Whether a response has a body depends on the request's method; these two are the ones without.
  if (/head|connect|upgrade/i.test(text)) return;
  const received = engine === 'uws' ? withoutSecondAnswer(client.received) : client.received;
  const { error } = readByNode('response', received, false);
  // After `Connection: close` nothing may come, and nothing is read.
  if (error !== null)
    wrong.push(`to a client umbra wrote what Node's parser calls ${error}; ${told(text, client)}`);
}

/**
 * What uWebSockets.js writes for bytes that it can not parse, also behind an answer that closes its
 * connection (docs/conformance.md, "What the uws engine can't do").
 */
const refusalOfUws =
  'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n<h1>Bad Request</h1><hr><i>uWebSockets/20 Server</i>';

function withoutSecondAnswer(received: string): string {
  const isSecond = received.endsWith(refusalOfUws) && received.length > refusalOfUws.length;
  return isSecond ? received.slice(0, -refusalOfUws.length) : received;
}

function told(text: string, client: RawClient): string {
  return `it sent ${shown(text)} and got ${shown(client.received)}`;
}

async function closesWithin(client: RawClient, ms: number): Promise<boolean> {
  if (client.closed) return true;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  const closed = await Promise.race([client.end().then(() => true), late]);
  clearTimeout(timer);
  return closed === true;
}

async function othersAreServed(port: number): Promise<void> {
  const client = await RawClient.connect(port);
  client.send('GET /good HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
  const served =
    (await closesWithin(client, controlMs)) && /^HTTP\/1\.1 200 [\s\S]*\r\n\r\nok\n$/.test(client.received);
  client.close();
  if (!served) throw new Error(`a request of somebody else was answered ${shown(client.received)}`);
}

/**
 * One connection of a hostile version: answers what looks like a request with anything, at any pace, or not
 * at all.
 */
async function hostile(peer: RawPeer, chance: Chance, wrong: string[]): Promise<void> {
  let received = '';
  peer.socket.on('data', (bytes: Buffer) => {
    received += bytes.toString('latin1');
  });
  peer.socket.on('close', () => {
    if (/upgrade/i.test(received)) return;
    const { error } = readByNode('request', received, false);
    if (error !== null && !excused(error, received)) {
      wrong.push(`a version got what Node's parser calls ${error}: ${shown(received)}`);
    }
  });
  for (;;) {
    const head = await peer.head().catch(() => '');
    if (head === '') return;
    const what = chance.below(12);
    if (what === 0) return peer.reset();
    if (what === 1) return peer.fin();
    if (what === 2) continue;
    const good = chance.onceIn(2);
    const answer = good ? 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' : anyResponse(chance);
    for (const piece of chance.pieces(answer, good ? 1 : 4)) {
      peer.send(piece);
      if (chance.onceIn(2)) await new Promise(setImmediate);
    }
    if (!good && chance.onceIn(2)) return chance.onceIn(3) ? peer.reset() : peer.fin();
  }
}

/** Node's parser does not know every method, and takes no byte of 0x80 or above in a target. */
function excused(error: string, text: string): boolean {
  return error === 'HPE_INVALID_METHOD' || (error === 'HPE_INVALID_URL' && /^\S+ \S*[\x80-\xff]/m.test(text));
}
