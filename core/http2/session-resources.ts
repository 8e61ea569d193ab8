import type { BlockPool } from '../write-queue.js';
import { BlockWriter } from './block-writer.js';
import { LiteralCache } from './literal-cache.js';
import { RequestFields } from './request-fields.js';
import { ResponseFields } from './response-fields.js';
import { TrailerFields } from './trailer-fields.js';

/**
 * Objects that the sessions of one thread share, because a header block is read or written within one call.
 */
export class SessionResources {
  /** Microseconds on a monotonic time line. */
  readonly clock: () => number;
  readonly blocks: BlockPool;
  readonly writer = new BlockWriter();
  readonly literals = new LiteralCache();
  readonly requestFields = new RequestFields();
  readonly responseFields = new ResponseFields();
  readonly trailerFields = new TrailerFields();

  constructor(clock: () => number, blocks: BlockPool) {
    this.clock = clock;
    this.blocks = blocks;
  }
}
