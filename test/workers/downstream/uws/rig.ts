/** A real acceptor and a real engine on one thread, and a client that speaks bytes. */
import net from 'node:net';
import type { Failure } from '../../../../core/errors.js';
import type { RequestHead } from '../../../../core/http/message.js';
import { Framing } from '../../../../core/http/message.js';
import type { ResponseHead } from '../../../../core/http/response-head.js';
import type { ListenerLimits } from '../../../../core/plan.js';
import type {
  ClientTimeout,
  RequestHandler,
  RequestSink,
  Responder,
} from '../../../../workers/downstream/downstream.js';
import { UwsAcceptor } from '../../../../workers/downstream/uws/acceptor.js';
import type { Uws } from '../../../../workers/downstream/uws/binding.js';
import { UwsDownstream } from '../../../../workers/downstream/uws/engine.js';
import { loadUws } from '../../../../workers/downstream/uws/load.js';
import { listenerPlan, noCounters, uwsParts } from '../../../support/listener.js';

const loading = loadUws();
/** For `t.test`: false where uWS loads, else the words that the report shows. */
export const skipWord: string | false =
  loading.kind === 'loaded' ? false : `uWS can't be loaded here: ${loading.reason}`;
/** Only for tests that are skipped where `skipWord` is set. */
export const uws: Uws = loading.kind === 'loaded' ? loading.uws : (undefined as unknown as Uws);

export const loopback = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;
/** Two lines that every request needs. */
export const host = 'Host: example.com\r\n';
export const get = `GET / HTTP/1.1\r\n${host}\r\n`;

/** What the proxy saw of one request. */
export class Seen implements RequestSink {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly fields: string;
  readonly framing: Framing;
  readonly contentLength: number;
  readonly lengthZero: boolean;
  readonly secure: boolean;
  readonly responder: Responder;
  body = '';
  trailers = '';
  bodyBytes = 0;
  pieces = 0;
  complete = false;
  aborted = 0;
  /** Why, the last time. */
  reason: Failure | -1 = -1;
  writable = 0;
  onPiece: (piece: Uint8Array, last: boolean) => void = () => {};
  onRoom: () => void = () => {};
  onGone: () => void = () => {};

  constructor(head: RequestHead, responder: Responder) {
    this.method = head.method;
    this.target = head.target;
    this.host = head.host;
    this.fields = head.fields;
    this.framing = head.framing;
    this.contentLength = head.contentLength;
    this.lengthZero = head.lengthZero;
    this.secure = head.secure;
    this.responder = responder;
  }

  onRequestBody(piece: Uint8Array, last: boolean): void {
    this.pieces++;
    this.bodyBytes += piece.length;
    if (this.bodyBytes <= 65536) this.body += Buffer.from(piece).toString('latin1');
    this.complete = last;
    this.onPiece(piece, last);
  }
  onRequestTrailers(lines: string): void {
    this.trailers += lines;
  }
  onAborted(reason: Failure): void {
    this.aborted++;
    this.reason = reason;
    this.onGone();
  }
  onWritable(): void {
    this.writable++;
    this.onRoom();
  }
  lastWords(): string {
    return '';
  }
}

/**
 * A response head as the upstream side hands it out. `lines` begins with the status, like `200 OK\r\nname:
 * value`.
 */
export function head(lines: string, framing: Framing = Framing.NONE, contentLength = -1): ResponseHead {
  const status = Number.parseInt(lines, 10);
  const made = {
    status,
    framing,
    contentLength: Math.max(0, contentLength),
    hasContentLength: contentLength >= 0,
    bodyless: framing === Framing.NONE,
    writeForward: (out: Buffer, _without: number, outStart = 0) => out.write(lines, outStart, 'latin1'),
  };
  return made as unknown as ResponseHead;
}

export function ofLength(bytes: number, lines = '200 OK'): ResponseHead {
  return head(lines, Framing.LENGTH, bytes);
}

export function ofChunks(lines = '200 OK'): ResponseHead {
  return head(lines, Framing.CHUNKED);
}

/** The sink of a request that is answered at once: it ignores the rest of the request. */
export const noSink: RequestSink = {
  onRequestBody: () => {},
  onRequestTrailers: () => {},
  onAborted: () => {},
  onWritable: () => {},
  lastWords: () => '',
};

/** Answers with the whole body at once. */
export function reply(responder: Responder, body: string, lines = '200 OK'): void {
  responder.batch(() => {
    responder.sendHead(ofLength(body.length, lines));
    responder.sendBody(Buffer.from(body, 'latin1'));
    responder.finish();
  });
}

export class Rig implements RequestHandler {
  readonly seen: Seen[] = [];
  readonly counts = { accepted: 0, closed: 0, refused: 0, turnedAway: 0 };
  readonly timedOut: ClientTimeout[] = [];
  readonly acceptor: UwsAcceptor;
  readonly downstream: UwsDownstream;
  onSeen: (seen: Seen) => void;

  private constructor(acceptor: UwsAcceptor, onSeen: (seen: Seen) => void, bounds: Partial<ListenerLimits>) {
    this.acceptor = acceptor;
    this.onSeen = onSeen;
    this.downstream = new UwsDownstream(
      uws,
      listenerPlan({ address: loopback, engine: 'uws' }, bounds),
      uwsParts(this, {
        ...noCounters,
        accepted: () => this.counts.accepted++,
        closed: () => this.counts.closed++,
        turnedAway: () => this.counts.turnedAway++,
        refused: () => this.counts.refused++,
        timedOut: (what) => void this.timedOut.push(what),
      }),
    );
    acceptor.addChild(this.downstream.descriptor());
  }

  static async start(onSeen: (seen: Seen) => void, bounds: Partial<ListenerLimits> = {}): Promise<Rig> {
    const acceptor = await UwsAcceptor.listen(uws, listenerPlan({ address: loopback, engine: 'uws' }));
    return new Rig(acceptor, onSeen, bounds);
  }

  onRequest(head: RequestHead, responder: Responder): RequestSink {
    const seen = new Seen(head, responder);
    this.seen.push(seen);
    this.onSeen(seen);
    return seen;
  }

  connect(): Client {
    return new Client(net.connect(this.acceptor.port, '127.0.0.1'));
  }

  /** Sends bytes on a new connection and returns all that comes until it closes. */
  async exchange(bytes: string): Promise<string> {
    const client = this.connect();
    client.send(bytes);
    return client.closed();
  }

  /** Resolves when `holds` does; it is asked after each turn of the loop. */
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const ask = (): void => {
        if (holds()) resolve();
        else setImmediate(ask);
      };
      ask();
    });
  }

  async stop(): Promise<void> {
    this.acceptor.removeChild(this.downstream.descriptor());
    await this.downstream.leave();
    this.acceptor.close();
  }
}

export interface Answer {
  readonly status: number;
  /** Field lines as received, without the status line and the blank line. */
  readonly fields: string;
  readonly body: string;
}

/** Keeps what it receives as a latin1 string, and cuts answers off its front. */
export class Client {
  readonly socket: net.Socket;
  received = '';
  ended = false;
  #changed: () => void = () => {};

  constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.received += bytes.toString('latin1');
      this.#changed();
    });
    // A reset is an end like any other here: tests look at what arrived before it.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.ended = true;
      this.#changed();
    });
  }

  send(bytes: string | Uint8Array): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /**
   * The next answer; `bodyless` for the answer to a HEAD. Rejects when the connection ends before it is
   * complete.
   */
  async answer(bodyless = false): Promise<Answer> {
    for (;;) {
      const answer = this.#cut(bodyless);
      if (answer !== null) return answer;
      if (this.ended)
        throw new Error(`the connection ended after ${JSON.stringify(this.received.slice(0, 500))}`);
      await this.change();
    }
  }

  change(): Promise<void> {
    return new Promise((resolve) => {
      this.#changed = resolve;
    });
  }

  async closed(): Promise<string> {
    while (!this.ended) await this.change();
    return this.received;
  }

  async receivedAtLeast(bytes: number): Promise<void> {
    while (this.received.length < bytes && !this.ended) await this.change();
  }

  destroy(): void {
    this.socket.destroy();
  }

  #cut(bodyless: boolean): Answer | null {
    const end = this.received.indexOf('\r\n\r\n');
    if (end === -1) return null;
    const lines = this.received.slice(0, end);
    const statusEnd = lines.indexOf('\r\n');
    const fields = statusEnd === -1 ? '' : lines.slice(statusEnd + 2);
    const status = Number(lines.slice(9, 12));
    const rest = this.received.slice(end + 4);
    let used = 0;
    let body = '';
    const length = /^content-length: (\d+)$/im.exec(fields);
    if (bodyless || status < 200 || status === 204 || status === 304) {
      used = 0;
    } else if (/^transfer-encoding: chunked$/im.test(fields)) {
      const chunks = readChunks(rest);
      if (chunks === null) return null;
      ({ used, body } = chunks);
    } else if (length !== null) {
      used = Number(length[1]);
      if (rest.length < used) return null;
      body = rest.slice(0, used);
    }
    this.received = rest.slice(used);
    return { status, fields, body };
  }
}

function readChunks(text: string): { used: number; body: string } | null {
  let body = '';
  let at = 0;
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd === -1) return null;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    if (!/^[0-9a-fA-F]+$/.test(text.slice(at, lineEnd)))
      throw new Error(`bad chunk at ${at}: ${text.slice(at, at + 40)}`);
    const end = lineEnd + 2 + size;
    if (text.length < end + 2) return null;
    if (text.slice(end, end + 2) !== '\r\n') throw new Error(`chunk without its end at ${end}`);
    if (size === 0) return { used: end + 2, body };
    body += text.slice(lineEnd + 2, end);
    at = end + 2;
  }
}
