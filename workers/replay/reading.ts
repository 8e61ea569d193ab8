/** What the thread that reads recordings receives, and what it sends. */
import type { Pace } from '../../core/replay/pace.js';
import type { RequestEdits } from '../../core/replay/request-edits.js';
import type { FileOnDisk } from './recorded-timeline.js';

export interface ReadJob {
  readonly files: readonly FileOnDisk[];
  readonly pace: Pace;
  readonly loop: boolean;
  /** Filters as they are written on the command line, where they were checked. */
  readonly filters: readonly string[];
  readonly order: string | null;
  readonly edits: RequestEdits;
}

/** A message of the reader. It sends one block for each that was asked for. */
export type FromReader =
  | {
      readonly type: 'block';
      readonly block: ArrayBuffer;
      readonly count: number;
    }
  /** The files are being read for the order of their requests. `share`: of their bytes, 0 to 1. */
  | { readonly type: 'indexing'; readonly share: number }
  /** They were read; so many requests will be played in one loop. */
  | { readonly type: 'indexed'; readonly requests: number }
  | { readonly type: 'skipped'; readonly path: string; readonly offset: number; readonly reason: string }
  | { readonly type: 'ended' };

/** A message to the reader: it is to send one more block. */
export type ToReader = 'more';

/** Blocks that are asked for ahead. */
export const blocksAhead = 4;
