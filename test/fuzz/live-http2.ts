/**
 * A real umbra between hostile clients, a hostile primary and a hostile shadow that speak HTTP/2, beside a
 * client that behaves. What must hold: each call of that client is answered, known attacks end with their
 * error and their counter, no thread dies, memory stays bounded, and at rest every request is accounted for.
 */
import { readFileSync } from 'node:fs';
import type { ClientHttp2Session } from 'node:http2';
import { Setting } from '../../core/http2/settings.js';
import { frame, get, post, uint32 } from '../core/http2/session-side.js';
import { callGrpc, GrpcOrigin } from '../support/grpc-origin.js';
import { attacksOn, id, sendAttack } from '../support/http2-attacks.js';
import { ask2, http2Session } from '../support/http2-client.js';
import { Origin } from '../support/origin.js';
import { hello, RawHttp2, RawHttp2Server } from '../support/raw-http2.js';
import { isAtRest, openOf, reviews, UmbraProcess } from '../support/umbra.js';
import type { Chance } from './random.js';
import { Chance as Seeded } from './random.js';
import { attackInRounds } from './rounds.js';
import { anyConversation } from './sessions.js';

const routeTimeoutMs = 150;
/** A client that owes bytes itself leaves after so long. */
const impatienceMs = 30;
const clientsAtOnce = 8;
/** Connections of one round, after which umbra comes to rest. */
const roundConnections = 150;
/** One connection in so many runs a known attack from its beginning to its end. */
const attackOnceIn = 10;
const attacks = attacksOn('/hang');
const attackRoundsMax = 100_000;
/** What a thread and its connections may hold after the first round, beside what the heap has grown to. */
const growthBytesMax = 256 * 1024 * 1024;

/** Runs until `stop` says so; resolves with the connections made. Throws where something is wrong. */
export async function fuzzHttp2Live(seed: number, stop: () => boolean): Promise<number> {
  const chance = new Seeded(seed);
  const next = (): Chance => new Seeded(chance.below(2 ** 32));
  const wrong: string[] = [];
  const primary = await RawHttp2Server.listen((peer) => hostile(peer, next()));
  const shadow = await RawHttp2Server.listen((peer) => hostile(peer, next()));
  const good = await Origin.listen();
  const calls = await GrpcOrigin.listen(({ messages }) => ({ messages }));
  const hang = await Origin.listen(() => {});
  const servers = { primary, shadow, good, calls, hang };
  const umbra = await UmbraProcess.start(
    configOf({
      primary: primary.port,
      shadow: shadow.port,
      hang: hang.port,
      good: good.port,
      calls: calls.port,
    }),
  );
  const beside = new Behaved(umbra.url, wrong);
  let atFirst = 0;
  return attackInRounds({
    umbra,
    clientsAtOnce,
    connections: roundConnections,
    wrong,
    stop,
    attack: () => attack(umbra, next(), wrong),
    othersAreServed: () => beside.hasAnswers(),
    check: (stats) => {
      // The client that behaves always has a request open.
      if (!isAtRest(stats) && openOf(stats) > 1)
        throw new Error(
          `not accounted for: ${JSON.stringify(stats.mirrors)}; open exchanges ${openOf(stats)}`,
        );
      const resident = residentBytes(umbra.pid);
      atFirst ||= resident;
      if (resident - atFirst > growthBytesMax)
        throw new Error(`umbra has grown by ${resident - atFirst} bytes`);
    },
    leave: () => beside.end(),
    close: () => Promise.all(Object.values(servers).map((server) => server.close())),
  });
}

function configOf(ports: Record<'primary' | 'shadow' | 'hang' | 'good' | 'calls', number>) {
  const { primary, shadow, hang, good, calls } = ports;
  const timeouts = { request: `${routeTimeoutMs}ms`, total: `${routeTimeoutMs}ms` };
  const version = { protocol: 'http2', connections: { max: 16, connectTimeout: '500ms' } };
  const config = reviews(primary, shadow, {
    route: { timeouts },
    mirror: { timeouts, compare: { sample: '100%' } },
    v1: version,
    v2: version,
    umbra: { listen: [{ address: '127.0.0.1:0', engine: 'node', protocols: ['http1', 'h2'] }] },
  });
  config.versions.hang = { endpoints: `http://127.0.0.1:${hang}` };
  config.versions.good = { endpoints: `http://127.0.0.1:${good}` };
  config.versions.calls = { endpoints: `http://127.0.0.1:${calls}`, protocol: 'http2' };
  config.routes.unshift(
    { name: 'hang', match: { path: { exact: '/hang' } }, primary: 'hang' },
    { name: 'good', match: { path: { exact: '/good' } }, primary: 'good' },
    { name: 'calls', match: { path: { prefix: '/good.Service/' } }, primary: 'calls' },
  );
  return config;
}

/** A client that asks again as soon as it is answered, over one connection. */
class Behaved {
  #answers = 0;
  #isOver = false;
  readonly #session: ClientHttp2Session;
  readonly #done: Promise<void>;

  constructor(url: string, wrong: string[]) {
    this.#session = http2Session(url);
    this.#done = this.#run().catch((error: Error) => {
      wrong.push(`a client that behaves got: ${error.message}`);
    });
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      const body = Buffer.alloc(1 + (this.#answers % 40_000), 'g');
      const { status } = await ask2(this.#session, { method: 'POST', target: '/good', body });
      if (status !== 200) throw new Error(`status ${status}`);
      const { status: grpc, messages } = await callGrpc(this.#session, '/good.Service/Echo', body);
      if (grpc !== 0 || !messages[0]!.equals(body)) throw new Error(`gRPC status ${grpc}`);
      this.#answers++;
    }
  }

  /** Throws where it was answered nothing since the last time. */
  async hasAnswers(): Promise<void> {
    if (this.#answers === 0) throw new Error('a client that behaves was not answered');
    this.#answers = 0;
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#done;
    this.#session.destroy();
  }
}

/** One hostile client. */
async function attack(umbra: UmbraProcess, chance: Chance, wrong: string[]): Promise<void> {
  const client = await RawHttp2.connect(
    umbra.port,
    chance.onceIn(4) ? [[Setting.INITIAL_WINDOW_SIZE, 0]] : [],
  );
  if (chance.onceIn(attackOnceIn)) {
    const known = chance.one(attacks);
    // On a slow machine the rounds that are enough at once are too few.
    await sendAttack(client, known, known.rounds === 1 ? 1 : attackRoundsMax);
    await client.until(new RegExp(`^GOAWAY \\d+ ${known.code}$`)).catch((error: Error) => {
      wrong.push(`${known.what}: ${error.message.slice(0, 400)}`);
    });
    const counted = new RegExp(
      `^umbra_downstream_http2_guards_total\\{[^}]*"${known.guard}"[^}]*\\} [1-9]`,
      'm',
    );
    if (!counted.test(await umbra.metrics())) wrong.push(`${known.what}: no ${known.guard} was counted`);
  } else if (chance.onceIn(3)) {
    slow(client, chance);
  } else {
    const bytes = anyConversation(chance, true).subarray(24);
    let from = 0;
    for (const to of [...chance.cuts(bytes.length, 4), bytes.length]) {
      client.send(bytes.subarray(from, to));
      from = to;
      if (chance.onceIn(2)) await new Promise(setImmediate);
    }
  }
  await new Promise((resolve) => setTimeout(resolve, chance.below(impatienceMs)));
  if (chance.onceIn(2)) client.socket.resetAndDestroy();
  else client.socket.destroy();
}

/** Asks much, and takes, ends or resets little of it. */
function slow(client: RawHttp2, chance: Chance): void {
  if (chance.onceIn(2)) client.socket.pause();
  for (let n = chance.below(100); n >= 0; n--) {
    const stream = id(n);
    const whole = chance.onceIn(2);
    client.send(client.headers(stream, whole ? get : post, whole));
    if (chance.onceIn(3)) client.send(frame(8, 0, stream, uint32(1 + chance.below(100))));
    if (!whole) client.send(frame(0, chance.below(2), stream, Buffer.alloc(chance.below(16_384))));
    if (chance.onceIn(8)) client.send(frame(3, 0, stream, uint32(8)));
  }
}

/** One connection of a hostile version: answers streams rightly, wrongly, in part, or not at all. */
async function hostile(peer: RawHttp2, chance: Chance): Promise<void> {
  if (chance.onceIn(10)) return void peer.socket.resetAndDestroy();
  peer.send(hello(...(chance.onceIn(5) ? [[Setting.MAX_CONCURRENT_STREAMS, chance.below(4)] as const] : [])));
  if (chance.onceIn(5)) return void peer.send(anyConversation(chance, false));
  for (let stream = 1; ; stream += 2) {
    await peer.until(new RegExp(`^HEADERS ${stream} `));
    const head = (): void => peer.send(peer.headers(stream, [[':status', '200']], false));
    switch (chance.below(10)) {
      case 0:
        peer.send(frame(3, 0, stream, uint32(chance.below(15))));
        break;
      case 1:
        peer.send(frame(7, 0, 0, uint32(chance.below(stream + 2), chance.below(14))));
        break;
      case 2:
        head();
        peer.send(frame(0, 0, stream, Buffer.alloc(chance.below(16_384))));
        break;
      case 3:
        break;
      case 4:
        return void peer.send(anyConversation(chance, false));
      case 5:
        head();
        return void peer.socket.end();
      default:
        head();
        peer.send(frame(0, 1, stream, Buffer.from('ok')));
    }
  }
}

/** 0 where the system does not report it. */
function residentBytes(pid: number): number {
  try {
    return 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return 0;
  }
}
