import { currentRead } from '../current-read.js';
import { limits } from '../limits.js';
import type { WriteTarget } from '../write-queue.js';
import { ErrorCode } from './error-code.js';
import { Floods, Guard } from './floods.js';
import { Flag, FrameType, readUint31, readUint32, SETTING_BYTES } from './frame.js';
import { FrameReader, type FrameSink } from './frame-reader.js';
import { frameFault } from './frame-rules.js';
import { Block, HeaderBlock } from './header-block.js';
import { type FieldSink, HpackDecoder } from './hpack-decoder.js';
import { HpackEncoder } from './hpack-encoder.js';
import { ReceiveWindow } from './receive-window.js';
import { Sender, type SenderEvents, type Sent } from './sender.js';
import type { SessionResources } from './session-resources.js';
import { ownSettings, PeerSettings, TABLE_BYTES_DEFAULT, WINDOW_DEFAULT } from './settings.js';
import { ANY_LENGTH, Bit, type Stream } from './stream.js';
import { StreamTable } from './stream-table.js';
import { ignoringFields } from './trailer-fields.js';

/** The owner of a session, which has the socket and the timers. */
export interface SessionOwner {
  /**
   * There are bytes to flush, which the owner does before this turn of the loop ends. Not called before
   * `attach`.
   */
  onOutput(): void;
  /** The peer's SETTINGS were applied: its limit of streams may have changed. */
  onSettings(): void;
  /** The peer accepts no new streams. Streams that it did not process were reset. */
  onGoaway(code: ErrorCode): void;
  /** Our ping was answered. */
  onPong(): void;
  /** A stream was closed for any reason. */
  onStreamClosed(stream: Stream): void;
  /** A guard was reached; the owner counts it. */
  onGuard(guard: Guard): void;
  /**
   * The session is over, and all streams were reset. The owner flushes the GOAWAY frame, closes the socket,
   * and calls `lost`.
   */
  onOver(code: ErrorCode): void;
}

/**
 * Empty frames allowed for each DATA frame that we send (updates of two windows), and for each header block
 * of the peer (a priority and an update).
 */
const FORGIVEN = 2;

/**
 * One HTTP/2 connection without a socket: `receive` takes bytes in, and `flush` writes bytes out (RFC 9113).
 * This class has what both sides share: frames, windows, SETTINGS, guards and the end. `ServerSession` and
 * `ClientSession` open streams and read header blocks.
 *
 * A session has no timers. Its owner keeps deadlines by `awaitsSettings` and `awaitsRest`, and by
 * `receivedUs` and `blockedSinceUs` of each stream. The file is long because frames of every type change the
 * same few fields.
 */
export abstract class Session implements FrameSink, SenderEvents {
  isOver = false;
  /** The peer has not acknowledged our SETTINGS yet. */
  awaitsSettings = true;
  /** The peer has sent GOAWAY. */
  isGoingAway = false;
  protected readonly owner: SessionOwner;
  protected readonly resources: SessionResources;
  protected readonly streams = new StreamTable();
  protected readonly peer = new PeerSettings();
  protected readonly encoder = new HpackEncoder(limits.http2TableBytes, TABLE_BYTES_DEFAULT);
  protected readonly sender: Sender;
  protected nowUs = 0;
  readonly #isServer: boolean;
  readonly #listBytesMax: number;
  readonly #reader: FrameReader;
  readonly #block: HeaderBlock;
  readonly #decoder: HpackDecoder;
  readonly #window = new ReceiveWindow(limits.http2ConnectionWindowBytes);
  readonly #floods = new Floods();
  /** The stream of the DATA frame that is being read; null: its data is discarded. */
  #dataStream: Stream | null = null;
  #dataEnds = false;
  /** DATA frames of ours that the bucket of empty frames has taken into account. */
  #dataFrames = 0;

  /** `listBytesMax`: the limit of the peer's header lists. `first`: the bytes before our SETTINGS. */
  protected constructor(
    owner: SessionOwner,
    resources: SessionResources,
    isServer: boolean,
    listBytesMax: number,
    first: Buffer,
  ) {
    this.owner = owner;
    this.resources = resources;
    this.#isServer = isServer;
    this.#listBytesMax = listBytesMax;
    this.#reader = new FrameReader(this, !isServer);
    this.#block = new HeaderBlock(listBytesMax);
    this.#decoder = new HpackDecoder(limits.http2TableBytes, resources.literals);
    this.sender = new Sender(this.encoder, resources, this);
    this.sender.output.bytes(first, 0, first.length);
    this.sender.settings(ownSettings(isServer, listBytesMax), Flag.NONE);
    this.sender.windowUpdate(0, limits.http2ConnectionWindowBytes - WINDOW_DEFAULT);
  }

  /** Streams that are open. */
  get open(): number {
    return this.streams.count;
  }

  /** Whether the peer's preface, a frame other than DATA, or a header block is incomplete. */
  get awaitsRest(): boolean {
    return this.#block.isPartial || this.#reader.isPartial;
  }

  /**
   * `owedRest` identifies what `awaitsRest` is about: the stream of a header block, or the negative number of
   * a frame. 0: nothing is incomplete. While it stays the same, the same block or frame is incomplete.
   */
  get owedRest(): number {
    if (this.#block.isPartial) return this.#block.stream;
    return this.#reader.isPartial ? -1 - this.#reader.frames : 0;
  }

  /** Sets the connection's socket; until then nothing is written. The owner flushes next. */
  attach(target: WriteTarget): void {
    this.sender.attach(target);
  }

  /** Handles one read: `bytes[start, end)`, which is not used after the call. */
  receive(bytes: Buffer, start: number, end: number): void {
    this.nowUs = this.resources.clock();
    currentRead.begin();
    try {
      this.#reader.feed(bytes, start, end);
    } finally {
      currentRead.end();
    }
    const { dataFrames } = this.sender;
    this.#floods.frames.forgive((dataFrames - this.#dataFrames) * FORGIVEN);
    this.#dataFrames = dataFrames;
  }

  /** Writes to the socket. Called at the end of a turn, and when the socket has written what it held. */
  flush(): void {
    const { output } = this.sender;
    this.nowUs = this.resources.clock();
    this.sender.flush();
    if (output.isBroken && !this.isOver) {
      this.owner.onGuard(Guard.OUTPUT);
      this.close(ErrorCode.INTERNAL_ERROR);
    } else if (output.heldBytes > limits.http2OutputBytes && !this.isOver) this.#stop(Guard.OUTPUT);
  }

  /**
   * Writes the next piece of a stream's body. It is copied or sent when this returns, or at the end of the
   * current read (core/current-read). `last`: the body is complete.
   */
  write(stream: Stream, piece: Uint8Array, last: boolean): Sent {
    return this.sender.data(stream, piece, last);
  }

  /** Ends a body with trailers: whole field lines, a wire string. */
  writeTrailers(stream: Stream, lines: string): Sent {
    return this.sender.trailers(stream, lines);
  }

  /** Ends a stream with RST_STREAM; its sink receives no more calls. Does nothing if the stream is closed. */
  reset(stream: Stream, code: ErrorCode): void {
    if (stream.isClosed) return;
    this.sender.reset(stream.id, code);
    this.streams.rememberReset(stream.id);
    this.forget(stream);
  }

  /** Stops opening the stream's window; what the window still allows may arrive. */
  pause(stream: Stream): void {
    stream.set(Bit.PAUSED);
  }

  resume(stream: Stream): void {
    stream.clear(Bit.PAUSED);
    this.#openWindow(stream);
  }

  /** Sends a PING, whose answer is `onPong`. */
  ping(): void {
    if (!this.isOver) this.sender.ping(pingBytes, 0, Flag.NONE);
  }

  /** Ends the connection with GOAWAY, and resets all streams. */
  close(code: ErrorCode): void {
    if (this.isOver) return;
    this.sender.goaway(this.lastPeerStream, code);
    this.#end(code);
  }

  /** The socket is closed, and no longer reads from the blocks that it was given. */
  lost(): void {
    this.#end(ErrorCode.LOST);
    this.sender.clear();
  }

  // From the reader.

  onFrame(type: number, flags: number, stream: number, bytes: Buffer, start: number, end: number): void {
    const fault = this.#isOutOfOrder(type, stream)
      ? ErrorCode.PROTOCOL_ERROR
      : frameFault(type, flags, stream, end - start);
    if (fault !== ErrorCode.NO_ERROR) {
      this.close(fault);
      return;
    }
    switch (type) {
      case FrameType.HEADERS:
        this.#tookBlock(this.#block.begin(flags, stream, bytes, start, end));
        break;
      case FrameType.CONTINUATION:
        this.#tookBlock(this.#block.continue(flags, bytes, start, end));
        break;
      case FrameType.RST_STREAM:
        this.#onReset(stream, readUint32(bytes, start));
        break;
      case FrameType.GOAWAY:
        if (!this.#allowsEmpty()) return;
        this.isGoingAway = true;
        this.resetAbove(readUint31(bytes, start));
        this.owner.onGoaway(readUint32(bytes, start + 4));
        break;
      case FrameType.WINDOW_UPDATE:
        if (this.#allowsEmpty()) this.#onWindowUpdate(stream, readUint31(bytes, start));
        break;
      case FrameType.SETTINGS:
        if (this.#allowsEmpty()) this.#onSettings(flags, bytes, start, end);
        break;
      case FrameType.PING:
        if (!this.#allowsEmpty()) return;
        if ((flags & Flag.ACK) === 0) this.sender.ping(bytes, start, Flag.ACK);
        else this.onPong();
        break;
      case FrameType.PRIORITY:
        if (this.#allowsEmpty()) this.#onPriority(stream, readUint31(bytes, start));
        break;
      default:
        this.#allowsEmpty();
    }
  }

  onDataHead(flags: number, id: number, length: number): void {
    this.#dataStream = null;
    this.#dataEnds = (flags & Flag.END_STREAM) !== 0;
    if (id === 0 || this.#isOutOfOrder(FrameType.DATA, id) || this.isIdle(id)) {
      this.close(ErrorCode.PROTOCOL_ERROR);
      return;
    }
    if (length === 0 && !this.#dataEnds && !this.#allowsEmpty()) return;
    if (!this.#window.take(length)) {
      this.owner.onGuard(Guard.WINDOW);
      this.close(ErrorCode.FLOW_CONTROL_ERROR);
      return;
    }
    // The connection's window does not depend on consumers, so that none stops the others.
    const returned = this.#window.return();
    if (returned > 0) this.sender.windowUpdate(0, returned);
    const stream = this.streams.get(id);
    if (stream === null) this.#onClosed(id);
    else if (stream.has(Bit.PEER_ENDED)) this.breakStream(stream, ErrorCode.STREAM_CLOSED);
    else if (!stream.has(Bit.HEAD_RECEIVED)) this.breakStream(stream, ErrorCode.PROTOCOL_ERROR);
    else if (!stream.window.take(length)) {
      this.owner.onGuard(Guard.WINDOW);
      this.breakStream(stream, ErrorCode.FLOW_CONTROL_ERROR);
    } else {
      this.#dataStream = stream;
      if (!this.#dataEnds) this.#openWindow(stream);
    }
  }

  onDataPiece(bytes: Buffer, start: number, end: number, last: boolean): void {
    const stream = this.#dataStream;
    if (stream === null || stream.isClosed) return;
    const length = end - start;
    if (length > 0) stream.receivedUs = this.nowUs;
    if (stream.owed !== ANY_LENGTH) {
      if (length > stream.owed) {
        this.breakStream(stream, ErrorCode.PROTOCOL_ERROR);
        return;
      }
      stream.owed -= length;
    }
    if (last && this.#dataEnds) this.peerEnded(stream, bytes.subarray(start, end));
    else if (length > 0) stream.sink.onData(bytes.subarray(start, end), false);
  }

  onBadFrame(code: ErrorCode): void {
    this.close(code);
  }

  // From the sender.

  onOutput(): void {
    this.owner.onOutput();
  }

  onStreamSent(stream: Stream): void {
    if (stream.isClosed) this.forget(stream);
  }

  // For the two sides.

  /** The highest stream of the peer that was or may have been processed. */
  protected abstract get lastPeerStream(): number;
  /** Whether the stream has not been opened yet. */
  protected abstract isIdle(id: number): boolean;
  /** A header block is complete. */
  protected abstract onBlock(block: HeaderBlock): void;
  /** The peer did not process streams above `last`. */
  protected abstract resetAbove(last: number): void;

  protected onPong(): void {
    this.owner.onPong();
  }

  /**
   * Decodes a block into `sink`. False: the session is over. Afterwards `listOverflowed` says whether fields
   * were dropped.
   */
  protected decode({ bytes, start, end }: HeaderBlock, fieldsMax: number, sink: FieldSink): boolean {
    if (!this.#decoder.decode(bytes, start, end, this.#listBytesMax, fieldsMax, sink)) {
      this.close(ErrorCode.COMPRESSION_ERROR);
      return false;
    }
    if (!this.#decoder.overflowed) return true;
    if (this.#floods.lists.add(this.nowUs)) this.owner.onGuard(Guard.LISTS);
    else this.#stop(Guard.LISTS);
    return !this.isOver;
  }

  protected get listOverflowed(): boolean {
    return this.#decoder.overflowed;
  }

  /** Handles the second header block of a stream. */
  protected onTrailers(stream: Stream, block: HeaderBlock): void {
    const { trailerFields } = this.resources;
    trailerFields.begin();
    if (!this.decode(block, limits.requestFields, trailerFields)) return;
    const lines = trailerFields.complete();
    if (stream.has(Bit.PEER_ENDED)) {
      this.breakStream(stream, ErrorCode.STREAM_CLOSED);
    } else if (!block.ends || lines === null || stream.owed > 0) {
      this.breakStream(stream, ErrorCode.PROTOCOL_ERROR);
    } else if (this.listOverflowed || lines.length > limits.trailerBytes) {
      this.breakStream(stream, ErrorCode.ENHANCE_YOUR_CALM);
    } else {
      if (lines !== '' && !stream.has(Bit.NO_BODY)) stream.sink.onTrailers(lines);
      if (!stream.isClosed) this.peerEnded(stream, nothing);
    }
  }

  /** Decodes a block on a closed stream, because later blocks depend on the table. */
  protected onClosedBlock(block: HeaderBlock): void {
    if (this.decode(block, limits.requestFields, ignoringFields)) this.#onClosed(block.stream);
  }

  /** Ends the peer's side of a stream with this last piece. */
  protected peerEnded(stream: Stream, piece: Uint8Array): void {
    if (stream.owed > 0) {
      this.breakStream(stream, ErrorCode.PROTOCOL_ERROR);
      return;
    }
    stream.set(Bit.PEER_ENDED);
    if (!stream.has(Bit.NO_BODY)) stream.sink.onData(piece, true);
    if (stream.isClosed) this.forget(stream);
  }

  /** Resets a stream on which the peer broke a rule. It counts towards the peer's resets. */
  protected breakStream(stream: Stream, code: ErrorCode): void {
    if (stream.isClosed) return;
    stream.set(Bit.BROKEN);
    this.reset(stream, code);
    stream.sink.onReset(code, false);
    this.#countReset();
  }

  /** Resets a stream that was not passed to the owner. */
  protected refuse(id: number, code: ErrorCode): void {
    this.sender.reset(id, code);
    this.streams.rememberReset(id);
    this.#countReset();
  }

  /** Removes a closed stream. */
  protected forget(stream: Stream): void {
    if (!this.streams.remove(stream)) return;
    if (!stream.isClosed) stream.set(Bit.RESET);
    this.sender.drop(stream);
    this.owner.onStreamClosed(stream);
  }

  // Frames.

  /** Whether a frame comes before the first SETTINGS (section 3.4), or interrupts a header block. */
  #isOutOfOrder(type: number, stream: number): boolean {
    const { isPartial } = this.#block;
    if (!this.peer.known && type !== FrameType.SETTINGS) return true;
    if (type === FrameType.CONTINUATION) return !isPartial || stream !== this.#block.stream;
    return isPartial;
  }

  #tookBlock(took: Block): void {
    if (took === Block.WHOLE) {
      this.#floods.frames.forgive(FORGIVEN);
      this.onBlock(this.#block);
      this.#block.clear();
    } else if (took === Block.MALFORMED) {
      this.close(ErrorCode.PROTOCOL_ERROR);
    } else if (took === Block.FLOOD) {
      this.#stop(Guard.BLOCK);
    }
  }

  #onReset(id: number, code: ErrorCode): void {
    const stream = this.streams.get(id);
    if (stream !== null) {
      this.forget(stream);
      stream.sink.onReset(code, code === ErrorCode.REFUSED_STREAM);
      this.#countReset();
    } else if (this.isIdle(id)) {
      this.close(ErrorCode.PROTOCOL_ERROR);
    } else {
      this.#allowsEmpty();
    }
  }

  #onWindowUpdate(id: number, increment: number): void {
    const stream = this.streams.get(id);
    if (id === 0) {
      if (increment === 0) this.close(ErrorCode.PROTOCOL_ERROR);
      else if (!this.sender.widen(increment)) this.#overflowed();
    } else if (stream === null) {
      if (this.isIdle(id)) this.close(ErrorCode.PROTOCOL_ERROR);
    } else if (increment === 0) {
      this.breakStream(stream, ErrorCode.PROTOCOL_ERROR);
    } else if (!this.sender.widenStream(stream, increment)) {
      this.owner.onGuard(Guard.WINDOW);
      this.breakStream(stream, ErrorCode.FLOW_CONTROL_ERROR);
    }
  }

  #onSettings(flags: number, bytes: Buffer, start: number, end: number): void {
    const { peer } = this;
    if ((flags & Flag.ACK) !== 0) {
      this.awaitsSettings = false;
      if (!peer.known) this.close(ErrorCode.PROTOCOL_ERROR);
      return;
    }
    if (end - start > limits.http2SettingsEntries * SETTING_BYTES) {
      this.#stop(Guard.SETTINGS);
      return;
    }
    const windowBefore = peer.window;
    const fault = peer.read(bytes, start, end, !this.#isServer);
    if (fault !== ErrorCode.NO_ERROR) this.close(fault);
    else if (!this.#moveWindows(peer.window - windowBefore)) this.#overflowed();
    else {
      this.encoder.usePeerTable(peer.tableBytes);
      this.sender.settings(noSettings, Flag.ACK);
      this.owner.onSettings();
    }
  }

  /** `#overflowed` ends the connection because a window of ours would exceed 2^31 - 1. */
  #overflowed(): void {
    this.owner.onGuard(Guard.WINDOW);
    this.close(ErrorCode.FLOW_CONTROL_ERROR);
  }

  /** Applies a new initial window to all open streams (section 6.9.2). False: a window would be too large. */
  #moveWindows(delta: number): boolean {
    if (delta === 0) return true;
    for (const stream of this.streams.all()) if (!this.sender.widenStream(stream, delta)) return false;
    return true;
  }

  /** Checks a priority of RFC 7540, which is otherwise ignored. */
  #onPriority(id: number, dependsOn: number): void {
    if (dependsOn !== id) return;
    const stream = this.streams.get(id);
    if (stream !== null) this.breakStream(stream, ErrorCode.PROTOCOL_ERROR);
    else if (this.isIdle(id)) this.close(ErrorCode.PROTOCOL_ERROR);
  }

  /**
   * Handles DATA or a header block on a closed stream (section 5.1). The peer may not know yet that we have
   * reset it. What it has ended or reset itself it knows.
   */
  #onClosed(id: number): void {
    this.owner.onGuard(Guard.CLOSED);
    if (!this.streams.wasReset(id)) this.close(ErrorCode.STREAM_CLOSED);
  }

  #openWindow(stream: Stream): void {
    if (stream.has(Bit.PAUSED | Bit.PEER_ENDED) || stream.isClosed) return;
    const bytes = stream.window.return();
    if (bytes > 0) this.sender.windowUpdate(stream.id, bytes);
  }

  // Guards and the end.

  /**
   * Counts a frame that transports no request or body. False: there were too many, and the session is over.
   */
  #allowsEmpty(): boolean {
    if (this.#floods.frames.add(this.nowUs)) return true;
    this.#stop(Guard.FRAMES);
    return false;
  }

  /** Counts a reset stream of a client. */
  #countReset(): void {
    if (this.#isServer && !this.isOver && !this.#floods.resets.add(this.nowUs)) this.#stop(Guard.RESETS);
  }

  #stop(guard: Guard): void {
    this.owner.onGuard(guard);
    this.close(ErrorCode.ENHANCE_YOUR_CALM);
  }

  #end(code: ErrorCode): void {
    if (this.isOver) return;
    this.isOver = true;
    for (const stream of this.streams.all()) {
      // The sink of an earlier one may have reset it.
      if (stream.isClosed) continue;
      this.forget(stream);
      stream.sink.onReset(code, false);
    }
    this.owner.onOver(code);
  }
}

const nothing = new Uint8Array(0);
const noSettings = Buffer.alloc(0);
/** The payload of our PING frames. */
const pingBytes = Buffer.from('umbra h2', 'latin1');
