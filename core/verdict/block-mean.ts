/**
 * The error of an estimate, as blocks of time show it. Requests of one moment share what happens in it, so
 * the number of requests says little about the error of their mean; the scatter from block to block says it
 * for any dependence inside a block. Neighbouring blocks that still depend on each other are merged in pairs
 * first. Source: the method of batch means, A. M. Law, "Simulation Modeling and Analysis" (5th edition,
 * 2015), section 9.5.3. Pure.
 */

export interface BlockError {
  readonly standardError: number;
  /** Degrees of freedom of `standardError`. */
  readonly df: number;
  /** Blocks are still correlated after merging, so the error may be larger than `standardError`. */
  readonly isDependent: boolean;
}

/** Fewer blocks have no error that could be relied on. */
export const blocksMin = 10;
/** Neighbours are merged while their correlation is above what independent blocks show in 5 % of cases. */
const correlationZ = 1.645;

/**
 * `blockError` takes how much each block, in order, moves an estimate: for a mean, the block's sum of `(value
 * - mean) / count` of all values. Returns null where there are fewer than `blocksMin` blocks.
 */
export function blockError(moves: readonly number[]): BlockError | null {
  if (moves.length < blocksMin) return null;
  let [squares, products, before] = [0, 0, 0];
  for (const move of moves) {
    squares += move * move;
    products += move * before;
    before = move;
  }
  const df = moves.length - 1;
  const isDependent = products > (correlationZ / Math.sqrt(moves.length)) * squares;
  if (isDependent && moves.length >= 2 * blocksMin) return blockError(inPairs(moves));
  return { standardError: Math.sqrt((squares * moves.length) / df), df, isDependent };
}

/**
 * `independentBlocks` returns the sums of blocks, merged in pairs as often as `blockError` would merge their
 * moves.
 */
export function independentBlocks(sums: readonly number[]): readonly number[] {
  const mean = sums.reduce((a, b) => a + b, 0) / Math.max(1, sums.length);
  const df = blockError(sums.map((sum) => sum - mean))?.df;
  let merged = sums;
  while (df !== undefined && merged.length > df + 1) merged = inPairs(merged);
  return merged;
}

/** `inPairs` adds neighbours; an odd last one stays alone. */
export function inPairs(moves: readonly number[]): number[] {
  const merged: number[] = [];
  for (let i = 0; i < moves.length; i += 2) merged.push(moves[i] + (moves[i + 1] ?? 0));
  return merged;
}
