import type { Clock } from '../../../core/clock.js';
import { RequestHeadScanner } from '../../../core/http/request-head-scanner.js';
import { limits } from '../../../core/limits.js';
import { Deadlines } from '../../../core/upstream/deadlines.js';
import { Output } from './output.js';

/** How long a client may take for what, in milliseconds. */
export interface ClientPatience {
  /** From a head's first byte to its last. */
  readonly headMs: number;
  /** Between two reads of a body. */
  readonly bodyMs: number;
  /** Between a response and the next request. */
  readonly idleMs: number;
  /** For taking what was sent. */
  readonly writeMs: number;
}

const MS_PER_SECOND = 1000;

export const defaultPatience: ClientPatience = {
  headMs: limits.downstreamReadIdleSeconds * MS_PER_SECOND,
  bodyMs: limits.downstreamReadIdleSeconds * MS_PER_SECOND,
  idleMs: limits.downstreamWriteIdleSeconds * MS_PER_SECOND,
  writeMs: limits.downstreamWriteIdleSeconds * MS_PER_SECOND,
};

/** What all client connections of one thread share. Made once per thread. */
export class NodeResources {
  readonly clock: Clock;
  readonly patience: ClientPatience;
  /** Of one listener. */
  readonly connectionsMax: number;
  readonly deadlines: Deadlines;
  readonly scanner = new RequestHeadScanner();
  readonly output = new Output();
  readonly #readBuffer: Buffer = Buffer.allocUnsafeSlow(limits.readBufferBytes);

  constructor(
    clock: Clock,
    patience: ClientPatience = defaultPatience,
    connectionsMax: number = limits.downstreamConnections,
  ) {
    this.clock = clock;
    this.patience = patience;
    this.connectionsMax = connectionsMax;
    this.deadlines = new Deadlines(clock);
  }

  /** One for all on POSIX, where a read is delivered before the next one begins; see `UpstreamResources.readBuffer`. */
  readBuffer(): Buffer {
    return process.platform === 'win32' ? Buffer.allocUnsafeSlow(limits.readBufferBytes) : this.#readBuffer;
  }
}
