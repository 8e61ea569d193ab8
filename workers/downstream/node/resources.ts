import type { Clock } from '../../../core/clock.js';
import { RequestHeadScanner } from '../../../core/http/request-head-scanner.js';
import { limits } from '../../../core/limits.js';
import { Deadlines } from '../../../core/upstream/deadlines.js';
import { Output } from './output.js';

/** What all client connections of one thread share. Made once per thread. */
export class NodeResources {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly scanner = new RequestHeadScanner();
  readonly output = new Output();
  readonly #readBuffer: Buffer = Buffer.allocUnsafeSlow(limits.readBufferBytes);

  constructor(clock: Clock) {
    this.clock = clock;
    this.deadlines = new Deadlines(clock);
  }

  /**
   * One for all on POSIX, where a read is delivered before the next one begins; see
   * `UpstreamResources.readBuffer`.
   */
  readBuffer(): Buffer {
    return process.platform === 'win32' ? Buffer.allocUnsafeSlow(limits.readBufferBytes) : this.#readBuffer;
  }
}
