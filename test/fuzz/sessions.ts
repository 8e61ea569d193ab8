/**
 * Sessions of HTTP/2 against frames that are nearly right. Whatever comes, nothing throws, memory stays
 * within its bounds, a stream that is over hears nothing more, nothing happens after the end, and what goes
 * out is HTTP/2. However the bytes are cut, they mean the same.
 */
import { Framing, type RequestHead } from '../../core/http/message.js';
import type { ResponseHead } from '../../core/http/response-head.js';
import { ClientSession } from '../../core/http2/client-session.js';
import { PREFACE } from '../../core/http2/frame.js';
import { FrameReader } from '../../core/http2/frame-reader.js';
import { HpackDecoder } from '../../core/http2/hpack-decoder.js';
import { HpackEncoder } from '../../core/http2/hpack-encoder.js';
import { LiteralCache } from '../../core/http2/literal-cache.js';
import { ServerSession, type ServerSessionOwner } from '../../core/http2/server-session.js';
import type { Session } from '../../core/http2/session.js';
import { SessionResources } from '../../core/http2/session-resources.js';
import { Bit, type Stream, type StreamSink } from '../../core/http2/stream.js';
import { limits } from '../../core/limits.js';
import { WriteArena } from '../../core/upstream/write-arena.js';
import { encodeList, type Pair } from '../core/http2/hpack-lists.js';
import { frame, ListTarget, outgoing, settingsFrame, uint32 } from '../core/http2/session-side.js';
import type { Chance } from './random.js';

const LIST_MAX = 4096;
const TABLE = 4096;
const framesMax = 40;
/** The clock stands, so that cuts change nothing. */
const clock = (): number => 1;

/** Throws with the bytes, as hexadecimal digits, where something is wrong. */
export function fuzzSession(chance: Chance): void {
  const isServer = chance.onceIn(2);
  const bytes = anyConversation(chance, isServer);
  const cuts = chance.cuts(bytes.length, 8);
  const whole = new Run(isServer).read(bytes, [], false);
  const cut = new Run(isServer).read(bytes, cuts, false);
  new Run(isServer).read(bytes, cuts, true);
  if (whole !== cut) throw new Error(`${whole}\nis not\n${cut}\nof ${bytes.toString('hex')}`);
}

/** What a peer of a server, or of a client, sends: frames, most of them right. */
export function anyConversation(chance: Chance, isServer: boolean): Buffer {
  return mutated(conversation(chance, isServer), chance);
}

const names = [
  ':method',
  ':path',
  ':scheme',
  ':authority',
  ':status',
  'cookie',
  'content-length',
  'te',
  'x-a',
  'host',
];
const values = [
  'GET',
  'POST',
  'HEAD',
  '/',
  'http',
  'h',
  '200',
  '103',
  '5',
  '0',
  'trailers',
  'a=b',
  'x'.repeat(300),
];
const request: readonly Pair[] = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'h'],
];

/** Frames of a peer, most of them right. */
function conversation(chance: Chance, isServer: boolean): Buffer {
  const encoder = new HpackEncoder(TABLE, TABLE);
  const frames = [settingsFrame(), frame(4, 1, 0)];
  if (isServer) frames.unshift(PREFACE);
  let next = 1;
  for (let count = chance.below(framesMax); count > 0; count--) {
    const known = Math.max(1, next - 2 * (1 + chance.below(4)));
    frames.push(anyFrame(chance, encoder, known, isServer ? next : known, isServer));
    next += 2;
  }
  return Buffer.concat(frames);
}

function anyFrame(
  chance: Chance,
  encoder: HpackEncoder,
  known: number,
  fresh: number,
  isServer: boolean,
): Buffer {
  const stream = chance.onceIn(20) ? chance.below(12) : known;
  const data = Buffer.alloc(chance.one([0, 1, 5, 5, 300, 16_384]), 'd');
  switch (chance.below(12)) {
    case 0:
      return settingsFrame([chance.below(8), chance.one([0, 1, 100, 65_535, 2 ** 31 - 1])]);
    case 1:
      return frame(8, 0, chance.one([0, stream]), uint32(chance.one([0, 1, 1000, 2 ** 30, 2 ** 31 - 1])));
    case 2:
      return frame(3, 0, stream, uint32(chance.below(15)));
    case 3:
      return frame(6, chance.below(2), 0, Buffer.alloc(8));
    case 4:
      return frame(7, 0, 0, uint32(chance.below(30), 0));
    case 5:
      return frame(chance.one([2, 5, 11]), 0, stream, Buffer.alloc(5));
    case 6:
    case 7:
      return frame(0, chance.below(2), stream, data);
    case 8:
      return frame(0, 8 | chance.below(2), stream, Buffer.concat([Buffer.from([chance.below(8)]), data]));
    default:
      return head(chance, encoder, chance.onceIn(3) ? stream : fresh, isServer);
  }
}

/** A header block in one to three frames. */
function head(chance: Chance, encoder: HpackEncoder, stream: number, isServer: boolean): Buffer {
  const pairs: Pair[] = isServer ? [...request] : [[':status', chance.one(['200', '103', '204'])]];
  while (chance.onceIn(2)) pairs.push([chance.one(names), chance.one(values)]);
  const block = encodeList(encoder, chance.onceIn(8) ? pairs.slice(isServer ? 4 : 1) : pairs);
  const cuts = chance.onceIn(3) ? chance.cuts(block.length, 2) : [];
  const ends = [...cuts, block.length];
  const parts = ends.map((end, part) => {
    const flags = (part === 0 ? chance.below(2) : 0) | (part === ends.length - 1 ? 4 : 0);
    return frame(part === 0 ? 1 : 9, flags, stream, block.subarray(part === 0 ? 0 : ends[part - 1], end));
  });
  return Buffer.concat(parts);
}

/** The same with a few bytes changed, cut out, or repeated; one in three is left as it is. */
function mutated(bytes: Buffer, chance: Chance): Buffer {
  if (chance.onceIn(3)) return bytes;
  let text = Buffer.from(bytes);
  for (let count = 1 + chance.below(4); count > 0 && text.length > 0; count--) {
    const at = chance.below(text.length);
    const end = Math.min(text.length, at + 1 + chance.below(20));
    const kind = chance.below(4);
    if (kind === 0) text[at] = chance.below(256);
    else if (kind === 1) text[at]! ^= 1 << chance.below(8);
    else if (kind === 2) text = Buffer.concat([text.subarray(0, at), text.subarray(end)]);
    else text = Buffer.concat([text.subarray(0, end), text.subarray(at)]);
  }
  return text;
}

/** One session, whose owner does the same for the same stream. */
class Run implements ServerSessionOwner {
  readonly #arena = new WriteArena();
  readonly #target = new ListTarget();
  readonly #session: Session;
  readonly #log: string[] = [];
  readonly #out = new Outgoing();
  #isOver = false;

  constructor(isServer: boolean) {
    const resources = new SessionResources(clock, this.#arena);
    if (isServer) {
      this.#session = new ServerSession(this, resources, LIST_MAX);
    } else {
      const session = new ClientSession(this, resources);
      for (let count = 0; count < 12; count++) {
        const method = count % 5 === 0 ? 'HEAD' : 'POST';
        const framing = count % 3 === 0 ? Framing.NONE : Framing.CHUNKED;
        const sink = new RunSink(this);
        sink.stream = session.request(sink, outgoing({ method, framing }), false);
        if (framing === Framing.CHUNKED)
          session.write(sink.stream, Buffer.alloc(700 * count), count % 2 === 0);
      }
      this.#session = session;
    }
    this.#session.attach(this.#target);
    this.#session.flush();
  }

  /**
   * All that happened, as text. `flushes`: after each read and not only after the last one, which changes
   * windows, and with them what an update of the peer means.
   */
  read(bytes: Buffer, cuts: readonly number[], flushes: boolean): string {
    let from = 0;
    for (const to of [...cuts, bytes.length]) {
      const piece = Buffer.from(bytes.subarray(from, to));
      this.#session.receive(piece, 0, piece.length);
      if (flushes || to === bytes.length) this.#session.flush();
      this.#out.read(this.#target.take());
      from = to;
      this.#check();
    }
    this.#session.lost();
    this.#check();
    if (this.#arena.heldBytes !== 0) throw new Error(`${this.#arena.heldBytes} bytes are left`);
    if (this.#session.open !== 0) throw new Error(`${this.#session.open} streams are left`);
    return this.#log.join('\n');
  }

  say(what: string): void {
    if (this.#isOver) throw new Error(`after the end: ${what}`);
    this.#log.push(what);
  }

  onOutput(): void {}
  onSettings(): void {
    this.say('settings');
  }
  onGoaway(code: number): void {
    this.say(`goaway ${code}`);
  }
  onPong(): void {
    this.say('pong');
  }
  onStreamClosed(stream: Stream): void {
    this.say(`${stream.id} closed`);
    if (!stream.isClosed || stream.heldBytes > 0 || stream.has(Bit.IN_TURNS)) throw new Error('half closed');
  }
  onGuard(guard: number): void {
    this.say(`guard ${guard}`);
  }
  onOver(code: number): void {
    this.say(`over ${code}`);
    this.#isOver = true;
  }

  onRequest(stream: Stream, { method, framing, fields }: RequestHead): void {
    this.say(`${stream.id} ${method} ${framing} ${fields}`);
    const sink = new RunSink(this);
    sink.stream = stream;
    stream.sink = sink;
    const session = this.#session as ServerSession;
    switch ((stream.id >> 1) % 5) {
      case 0:
        session.sendAnswer(stream, 204, '', true);
        break;
      case 1:
        session.sendAnswer(stream, 200, 'x-a: b\r\n', false);
        session.write(stream, Buffer.alloc(40_000), false);
        session.writeTrailers(stream, 'x-t: u\r\n');
        break;
      case 2:
        session.sendAnswer(stream, 200, '', false);
        session.write(stream, Buffer.alloc(100_000), true);
        break;
      case 3:
        session.pause(stream);
        break;
      default:
        session.reset(stream, 8);
    }
  }

  onRefused(stream: Stream, _head: RequestHead, fault: number): void {
    this.say(`${stream.id} refused ${fault}`);
    (this.#session as ServerSession).sendAnswer(stream, 400, '', true);
    this.#session.reset(stream, 0);
  }

  #check(): void {
    const held = this.#arena.heldBytes;
    if (held > limits.http2OutputBytes + 2 * limits.writeBlockBytes)
      throw new Error(`${held} bytes are held`);
    if (this.#session.open > limits.http2Streams) throw new Error(`${this.#session.open} streams`);
  }
}

/** Notes each event of a stream; pieces of a body are joined. */
class RunSink implements StreamSink {
  stream: Stream | null = null;
  readonly #run: Run;
  #body = 0;
  #ended = false;
  #isReset = false;

  constructor(run: Run) {
    this.#run = run;
  }

  onInterim(head: ResponseHead): void {
    this.#say(`interim ${head.status}`);
  }

  onHead(head: ResponseHead): void {
    const out = Buffer.alloc(limits.responseHeadBytes);
    this.#say(`head ${out.toString('latin1', 0, head.writeForward(out, 0))}`);
  }

  onData(piece: Uint8Array, last: boolean): void {
    if (this.#ended) throw new Error('DATA behind the end');
    this.#body += piece.length;
    this.#ended = last;
    if (last) this.#say(`body ${this.#body}`);
  }

  onTrailers(lines: string): void {
    this.#say(`trailers ${lines}`);
  }

  onWritable(): void {
    if (this.#isReset) throw new Error('writable behind a reset');
  }

  onReset(code: number, unprocessed: boolean): void {
    // How much of a body came before depends on the cuts.
    this.#say(`reset ${code} ${unprocessed}`);
    this.#isReset = true;
  }

  #say(what: string): void {
    if (this.#isReset) throw new Error(`behind a reset: ${what}`);
    this.#run.say(`${this.stream?.id} ${what}`);
  }
}

/** Reads what a session has sent: frames whose blocks can be decoded. */
class Outgoing {
  readonly #decoder = new HpackDecoder(TABLE, new LiteralCache());
  #reader: FrameReader | null = null;
  #block = Buffer.alloc(0);

  read(bytes: Buffer): void {
    if (this.#reader === null)
      this.#reader = this.#begin(!bytes.subarray(0, 3).equals(PREFACE.subarray(0, 3)));
    this.#reader.feed(bytes, 0, bytes.length);
  }

  #begin(afterPreface: boolean): FrameReader {
    const sink = {
      isOver: false,
      onDataHead: () => {},
      onDataPiece: () => {},
      onBadFrame: (code: number) => {
        throw new Error(`a frame of ours is bad: ${code}`);
      },
      onFrame: (type: number, flags: number, _stream: number, bytes: Buffer, start: number, end: number) => {
        if (type !== 1 && type !== 9) return;
        this.#block = Buffer.concat([this.#block, bytes.subarray(start, end)]);
        if ((flags & 4) === 0) return;
        const block = this.#block;
        this.#block = Buffer.alloc(0);
        const ignoring = { onField: () => {} };
        if (!this.#decoder.decode(block, 0, block.length, 1 << 20, 1000, ignoring))
          throw new Error('a block is bad');
      },
    };
    return new FrameReader(sink, afterPreface);
  }
}
