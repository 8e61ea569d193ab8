/**
 * One side of a connection for tests: a session whose owner writes down what happens, a socket that is a list
 * of bytes, a clock that stands still, and frames as text.
 */
import { Framing, type RequestHead } from '../../../core/http/message.js';
import { type RequestFault, requestFaultAnswers } from '../../../core/http/request-fault.js';
import type { OutgoingHead } from '../../../core/http/request-writer.js';
import type { ResponseHead } from '../../../core/http/response-head.js';
import { ClientSession } from '../../../core/http2/client-session.js';
import { errorName } from '../../../core/http2/error-code.js';
import { type Guard, guardNames } from '../../../core/http2/floods.js';
import {
  FRAME_HEAD_BYTES,
  FrameType,
  PREFACE,
  readUint24,
  readUint31,
  readUint32,
} from '../../../core/http2/frame.js';
import { HpackDecoder } from '../../../core/http2/hpack-decoder.js';
import { HpackEncoder } from '../../../core/http2/hpack-encoder.js';
import { LiteralCache } from '../../../core/http2/literal-cache.js';
import { ServerSession, type ServerSessionOwner } from '../../../core/http2/server-session.js';
import type { Session } from '../../../core/http2/session.js';
import { SessionResources } from '../../../core/http2/session-resources.js';
import type { Stream, StreamSink } from '../../../core/http2/stream.js';
import { WriteArena } from '../../../core/upstream/write-arena.js';
import type { WriteTarget } from '../../../core/write-queue.js';
import { decodeList, encodeList, type Pair } from './hpack-lists.js';

const LIST_MAX = 16 * 1024;
const TABLE = 4096;

/** Takes everything at once, unless it is `full`. */
export class ListTarget implements WriteTarget {
  readonly isDirect = true;
  writing = false;
  isFull = false;
  bytes: Buffer[] = [];
  writes = 0;

  write(block: Buffer, start: number, end: number): boolean {
    this.bytes.push(Buffer.from(block.subarray(start, end)));
    this.writes++;
    this.writing = this.isFull;
    return !this.isFull;
  }

  writeParts(parts: readonly Uint8Array[]): number {
    if (this.isFull) return 0;
    const joined = Buffer.concat(parts);
    this.bytes.push(joined);
    this.writes++;
    return joined.length;
  }

  take(): Buffer {
    const all = Buffer.concat(this.bytes);
    this.bytes = [];
    return all;
  }
}

/** Writes down what comes on one stream. */
export class LogSink implements StreamSink {
  readonly log: string[];
  stream: Stream | null = null;
  body = '';
  ended = false;

  constructor(log: string[]) {
    this.log = log;
  }

  onInterim(head: ResponseHead): void {
    this.#say(`interim ${head.status}`);
  }

  onHead(head: ResponseHead): void {
    this.#say(`head ${headText(head)}`);
  }

  onData(piece: Uint8Array, last: boolean): void {
    const text = Buffer.from(piece).toString('latin1');
    this.body += text;
    this.ended ||= last;
    this.#say(`${last ? 'last' : 'data'} ${text.length > 40 ? text.length : text}`.trimEnd());
  }

  onTrailers(lines: string): void {
    this.#say(`trailers ${JSON.stringify(lines)}`);
  }

  onWritable(): void {
    this.#say('writable');
  }

  onReset(code: number, unprocessed: boolean): void {
    this.#say(`reset ${errorName(code)}${unprocessed ? ' unprocessed' : ''}`);
  }

  #say(what: string): void {
    this.log.push(`${this.stream?.id ?? '?'} ${what}`);
  }
}

function headText(head: ResponseHead): string {
  const out = Buffer.alloc(70_000);
  const text = out.toString('latin1', 0, head.writeForward(out, 0)).replaceAll('\r\n', ' | ');
  return head.hasContentLength ? `${text} (${head.contentLength})` : text;
}

function requestText(head: RequestHead): string {
  const { method, target, host, fields, framing, contentLength, lengthZero, expectsContinue } = head;
  const length =
    framing === Framing.LENGTH ? ` (${contentLength})` : framing === Framing.CHUNKED ? ' (?)' : '';
  const zero = lengthZero ? ' (0)' : '';
  const expects = expectsContinue ? ' expects' : '';
  return `${method} ${target} ${host}${length}${zero}${expects} ${JSON.stringify(fields)}`;
}

abstract class Side<S extends Session> {
  readonly log: string[] = [];
  readonly target = new ListTarget();
  readonly arena = new WriteArena();
  nowUs = 1;
  readonly resources = new SessionResources(() => this.nowUs, this.arena);
  abstract readonly session: S;
  /** Encodes and decodes what the other side would. */
  readonly encoder = new HpackEncoder(TABLE, TABLE);
  readonly decoder = new HpackDecoder(TABLE, new LiteralCache());

  onOutput(): void {}
  onSettings(): void {}
  onGoaway(code: number): void {
    this.log.push(`goaway ${errorName(code)}`);
  }
  onPong(): void {
    this.log.push('pong');
  }
  onStreamClosed(stream: Stream): void {
    this.log.push(`${stream.id} closed`);
  }
  onGuard(guard: Guard): void {
    this.log.push(`guard ${guardNames[guard]}`);
  }
  onOver(code: number): void {
    this.log.push(`over ${errorName(code)}`);
  }

  /** Receives bytes and flushes; returns the frames that went out. */
  feed(...parts: readonly Buffer[]): string[] {
    const bytes = Buffer.concat(parts);
    this.session.receive(bytes, 0, bytes.length);
    return this.sent();
  }

  sent(): string[] {
    this.session.flush();
    return framesText(this.target.take(), this.decoder);
  }

  /** What happened since the last call. */
  events(): string[] {
    return this.log.splice(0);
  }

  /** HEADERS with a whole block. */
  headers(stream: number, pairs: readonly Pair[], ends = true): Buffer {
    return frame(FrameType.HEADERS, ends ? 5 : 4, stream, encodeList(this.encoder, pairs));
  }
}

export class ServerSide extends Side<ServerSession> implements ServerSessionOwner {
  readonly session: ServerSession;
  readonly sinks = new Map<number, LogSink>();
  neverIndexed = '';

  constructor(listMax = LIST_MAX) {
    super();
    this.session = new ServerSession(this, this.resources, listMax);
    this.session.attach(this.target);
  }

  /** Takes the client's preface and SETTINGS. */
  greeted(...settings: readonly (readonly [number, number])[]): this {
    this.feed(PREFACE, settingsFrame(...settings), frame(FrameType.SETTINGS, 1, 0));
    this.events();
    return this;
  }

  onRequest(stream: Stream, head: RequestHead): void {
    const sink = new LogSink(this.log);
    sink.stream = stream;
    stream.sink = sink;
    this.sinks.set(stream.id, sink);
    this.neverIndexed = head.neverIndexed;
    this.log.push(`${stream.id} request ${requestText(head)}`);
  }

  onRefused(stream: Stream, { method }: RequestHead, fault: RequestFault): void {
    const of = method === 'HEAD' ? ' of HEAD' : '';
    this.log.push(`${stream.id} refused ${requestFaultAnswers[fault]!.code}${of}`);
    this.session.sendAnswer(stream, requestFaultAnswers[fault]!.status, '', true);
    this.session.reset(stream, 0);
  }

  stream(id: number): Stream {
    return this.sinks.get(id)!.stream!;
  }
}

export class ClientSide extends Side<ClientSession> {
  readonly session: ClientSession;

  constructor() {
    super();
    this.session = new ClientSession(this, this.resources);
    this.session.attach(this.target);
  }

  /** Takes the server's SETTINGS. */
  greeted(...settings: readonly (readonly [number, number])[]): this {
    this.feed(settingsFrame(...settings), frame(FrameType.SETTINGS, 1, 0));
    this.events();
    return this;
  }

  request(head: Partial<OutgoingHead> = {}): LogSink {
    const sink = new LogSink(this.log);
    sink.stream = this.session.request(sink, outgoing(head), false);
    return sink;
  }
}

export function outgoing(head: Partial<OutgoingHead> = {}): OutgoingHead {
  return {
    method: 'GET',
    target: '/',
    host: 'h',
    fields: '',
    framing: Framing.NONE,
    contentLength: 0,
    lengthZero: false,
    upgrade: '',
    expectsContinue: false,
    neverIndexed: '',
    ...head,
  };
}

/** Both sides, wired to each other. */
export class Wire {
  readonly client = new ClientSide();
  readonly server = new ServerSide();

  /** Carries bytes both ways until none are left. */
  run(): void {
    for (;;) {
      this.client.session.flush();
      this.server.session.flush();
      const toServer = this.client.target.take();
      const toClient = this.server.target.take();
      if (toServer.length + toClient.length === 0) return;
      if (!this.server.session.isOver) this.server.session.receive(toServer, 0, toServer.length);
      if (!this.client.session.isOver) this.client.session.receive(toClient, 0, toClient.length);
    }
  }
}

export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export function settingsFrame(...settings: readonly (readonly [number, number])[]): Buffer {
  const payload = Buffer.alloc(settings.length * 6);
  settings.forEach(([setting, value], row) => {
    payload.writeUInt16BE(setting, row * 6);
    payload.writeUInt32BE(value, row * 6 + 2);
  });
  return frame(FrameType.SETTINGS, 0, 0, payload);
}

export function uint32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [row, value] of values.entries()) bytes.writeUInt32BE(value, row * 4);
  return bytes;
}

export const get: readonly Pair[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'h'],
];
export const post: readonly Pair[] = [[':method', 'POST'], ...get.slice(1)];

/** Frames as text, one a line; header blocks are decoded. */
export function framesText(bytes: Buffer, decoder: HpackDecoder): string[] {
  const texts: string[] = [];
  let block = Buffer.alloc(0);
  let from = bytes.subarray(0, PREFACE.length).equals(PREFACE) ? PREFACE.length : 0;
  while (from < bytes.length) {
    const length = readUint24(bytes, from);
    const type = bytes[from + 3]!;
    const flags = bytes[from + 4]!;
    const stream = readUint31(bytes, from + 5);
    const payload = bytes.subarray(from + FRAME_HEAD_BYTES, from + FRAME_HEAD_BYTES + length);
    from += FRAME_HEAD_BYTES + length;
    const name = Object.entries(FrameType).find(([, value]) => value === type)?.[0] ?? String(type);
    const end = (flags & 1) === 1 ? (type <= 1 ? ' end' : ' ack') : '';
    let rest = '';
    if (type === FrameType.DATA) rest = ` ${length}`;
    if (type === FrameType.RST_STREAM) rest = ` ${errorName(readUint32(payload, 0))}`;
    if (type === FrameType.GOAWAY) rest = ` ${readUint31(payload, 0)} ${errorName(readUint32(payload, 4))}`;
    if (type === FrameType.WINDOW_UPDATE) rest = ` ${readUint32(payload, 0)}`;
    if (type === FrameType.HEADERS || type === FrameType.CONTINUATION) {
      block = Buffer.concat([block, payload]);
      if ((flags & 4) === 4) {
        const list = decodeList(decoder, block)!;
        rest = ` ${list.map(([field, value]) => `${field}=${value.length > 40 ? value.length : value}`).join(' ')}`;
        block = Buffer.alloc(0);
      }
    }
    texts.push(type === FrameType.GOAWAY ? `${name}${rest}` : `${name} ${stream}${rest}${end}`);
  }
  return texts;
}
