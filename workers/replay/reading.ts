/** What the thread that reads recordings is told, and what it says. */
import type { Pace } from '../../core/replay/pace.js';

export interface ReadJob {
  readonly files: readonly { readonly path: string; readonly descriptor: number; readonly bytes: number }[];
  readonly pace: Pace;
  readonly loop: boolean;
  /** As they are written on the command line, where they were understood. */
  readonly filters: readonly string[];
  readonly order: string | null;
}

/** From the reader. It has something to read on for each block that was asked for. */
export type FromReader =
  | {
      readonly type: 'block';
      readonly block: ArrayBuffer;
      readonly count: number;
      /** How much of the recording was read, from 0 to 1. */
      readonly share: number;
    }
  | { readonly type: 'skipped'; readonly path: string; readonly offset: number; readonly reason: string }
  | { readonly type: 'ended' };

/** To the reader: one more block, please. */
export type ToReader = 'more';

/** Blocks that are asked for ahead. */
export const blocksAhead = 4;
