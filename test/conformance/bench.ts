/** An umbra over one engine, with an origin that answers with a case's bytes and keeps what it got. */
import { RawClient } from '../support/client.js';
import { type RawPeer, RawServer } from '../support/raw-server.js';
import { type ConfigWords, reviews, UmbraProcess } from '../support/umbra.js';
import { type Answer, readAnswer } from './answer.js';
import type { Case, Verdict } from './case.js';

/** What the origin answers now, and what it got. */
interface Served {
  answers: string;
  ends: Case['ends'];
  arrived: string | null;
  peer: RawPeer | null;
}

/** What became of one case. */
export interface Observed {
  verdict: Verdict;
  /** The bytes that the origin got, or null. */
  arrived: string | null;
  /** The bytes that the client got. */
  came: string;
}

const plainGet = 'GET /case HTTP/1.1\r\nhost: h\r\n\r\n';
const plainAnswer = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-origin: 1\r\n\r\nok';
const probe = 'GET /probe HTTP/1.1\r\nhost: h\r\n\r\n';
/** Requests of others that are answered while nothing comes for this one. */
const waitingRounds = 5;

export class Bench {
  readonly umbra: UmbraProcess;
  readonly #origin: RawServer;
  readonly #served: Served;

  private constructor(umbra: UmbraProcess, origin: RawServer, served: Served) {
    this.umbra = umbra;
    this.#origin = origin;
    this.#served = served;
  }

  static async start(engine: string): Promise<Bench> {
    const served: Served = { answers: '', ends: undefined, arrived: null, peer: null };
    const origin = await RawServer.listen((peer) => serve(peer, served));
    const config: ConfigWords = reviews(origin.port, null, {
      route: { timeouts: { request: '500ms', idle: '500ms' }, match: { path: { regex: '.*' } } },
      umbra: { listen: [{ address: '127.0.0.1:0', engine }], threads: { proxy: 1, shadow: 1 } },
    });
    return new Bench(await UmbraProcess.start(config), origin, served);
  }

  async stop(): Promise<void> {
    await this.umbra.stop();
    await this.#origin.close();
  }

  /** `waits`: nothing is expected to come. */
  async observe(one: Case, waits: boolean): Promise<Observed> {
    const served = this.#served;
    served.answers = one.answers ?? plainAnswer;
    served.ends = one.ends;
    served.arrived = null;
    served.peer = null;
    const client = await RawClient.connect(this.umbra.port);
    const method = /^\s*(\S+)/.exec(one.sends ?? plainGet)?.[1] ?? '';
    if (one.halfCloses) client.socket.end(one.sends ?? plainGet, 'latin1');
    else client.send(one.sends ?? plainGet);
    if (one.sendsThen !== undefined) {
      await client.until(one.sendsThen[0]);
      client.send(one.sendsThen[1]);
    }
    if (one.answersThen !== undefined) {
      await client.until(one.answersThen[0]);
      served.peer!.send(one.answersThen[1]);
    }
    if (one.ends?.[1] !== undefined) {
      await client.until(one.ends[1]);
      end(served.peer!, one.ends[0]);
    }
    if (waits) {
      for (let round = 0; round < waitingRounds; round++) await this.#ask();
      const verdict = client.received === '' && !client.closed ? 'waits' : 'no answer';
      client.close();
      return { verdict, arrived: served.arrived, came: client.received };
    }
    const answer = await readAnswer(client, method);
    const came = client.received;
    const goesOn = !one.halfCloses && !client.closed && answer.whole && (await probed(client));
    client.close();
    return { verdict: verdictOf(answer, goesOn, one), arrived: served.arrived, came };
  }

  /** A request of somebody else. */
  async #ask(): Promise<void> {
    const client = await RawClient.connect(this.umbra.port);
    client.send(probe);
    await client.until('\r\n\r\nprobed');
    client.close();
  }
}

function verdictOf(answer: Answer, goesOn: boolean, one: Case): Verdict {
  if (answer.status === 0) return 'no answer';
  const ours = !/^x-origin:/im.test(answer.head);
  if (!ours && !answer.whole) return 'cut';
  const asked = one.halfCloses || /^connection: close\r$/im.test(one.sends ?? '');
  const end = goesOn || asked ? '' : ', closed';
  return ours ? `answered ${answer.status}${end}` : `forwarded${end}`;
}

/** Another request on the same connection is answered. */
async function probed(client: RawClient): Promise<boolean> {
  client.received = '';
  client.send(probe);
  try {
    await client.until('\r\n\r\nprobed');
    return true;
  } catch {
    return false;
  }
}

async function serve(peer: RawPeer, served: Served): Promise<void> {
  for (;;) {
    const head = await peer.head().catch(() => '');
    if (head === '') return;
    if (head.includes('/probe')) {
      peer.send('HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nprobed');
      continue;
    }
    served.arrived = (served.arrived ?? '') + head;
    served.peer = peer;
    if (/^expect: /im.test(head)) peer.send('HTTP/1.1 100 Continue\r\n\r\n');
    const length = /^content-length: (\d+)\r$/im.exec(head)?.[1];
    if (length !== undefined) served.arrived += await peer.bytes(Number(length)).catch(() => '');
    else if (/^transfer-encoding: chunked\r$/im.test(head)) {
      await chunked(peer, (text) => {
        served.arrived += text;
      });
    }
    peer.send(served.answers);
    if (served.ends !== undefined && served.ends[1] === undefined) end(peer, served.ends[0]);
  }
}

function end(peer: RawPeer, how: 'fin' | 'reset'): void {
  if (how === 'fin') peer.fin();
  else peer.reset();
}

/** Takes a chunked body with its trailers, as far as it comes. */
async function chunked(peer: RawPeer, take: (text: string) => void): Promise<void> {
  try {
    for (let line = await peer.take('\r\n'); ; line = await peer.take('\r\n')) {
      take(line);
      const bytes = Number.parseInt(line, 16);
      if (bytes > 0) take(await peer.bytes(bytes + 2));
      if (bytes === 0) break;
    }
    for (let line = ''; line !== '\r\n'; ) {
      line = await peer.take('\r\n');
      take(line);
    }
  } catch {
    // The connection ended.
  }
}
