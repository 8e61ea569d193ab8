import type { Clock } from '../../../core/clock.js';
import { RequestHeadScanner } from '../../../core/http/request-head-scanner.js';
import { FlushTurn } from '../../../core/http2/flush-turn.js';
import { SessionResources } from '../../../core/http2/session-resources.js';
import { limits } from '../../../core/limits.js';
import { ReadBuffers } from '../../../core/read-buffers.js';
import { Deadlines } from '../../../core/upstream/deadlines.js';
import { WriteArena } from '../../../core/upstream/write-arena.js';
import { Output } from './output.js';

/** What all client connections of one thread share. Made once per thread. */
export class NodeResources {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  /** Null: sessions of TLS are resumed by this thread alone, until its certificate changes. */
  readonly ticketKeys: Buffer | null;
  readonly scanner = new RequestHeadScanner();
  readonly output = new Output();
  readonly turn = new FlushTurn();
  readonly readBuffers = new ReadBuffers();
  /** Bytes of responses that wait in streams of HTTP/2. */
  http2WaitingBytes = 0;
  #http2: SessionResources | null = null;

  constructor(clock: Clock, ticketKeys: Uint8Array | null = null) {
    this.clock = clock;
    this.ticketKeys = ticketKeys === null ? null : Buffer.from(ticketKeys);
    this.deadlines = new Deadlines(clock);
  }

  /** Made for the first client that speaks HTTP/2. */
  get http2(): SessionResources {
    this.#http2 ??= new SessionResources(this.clock, new WriteArena(limits.http2HeldBytes));
    return this.#http2;
  }
}
