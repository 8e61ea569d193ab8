/** Runs pieces of the suite beside each other, and reports their results. */
import { type Result, runPiece } from './process.js';
import type { Piece } from './work.js';

export interface RunOptions {
  /** Pieces that run at once. */
  readonly jobs: number;
  /** One that failed is run once more, by itself. */
  readonly again: boolean;
  readonly tell: (text: string) => void;
}

/** Resolves with what failed to the last. */
export async function runAll(pieces: readonly Piece[], { jobs, again, tell }: RunOptions): Promise<Result[]> {
  const begun = performance.now();
  const results = await runSome(pieces, jobs, tell);
  let failed = results.filter(({ passed }) => !passed);
  if (again && failed.length > 0) {
    tell(`failed, and run once more by itself: ${failed.map(({ piece }) => piece.name).join('; ')}\n`);
    failed = (
      await runSome(
        failed.map(({ piece }) => piece),
        1,
        tell,
      )
    ).filter(({ passed }) => !passed);
  }
  const asserted = results.reduce((sum, result) => sum + result.asserted, 0);
  for (const why of new Set(results.flatMap(({ skipped }) => skipped))) tell(`skipped: ${why}\n`);
  const seconds = Math.round((performance.now() - begun) / 1000);
  const cpuSeconds = Math.round(results.reduce((sum, result) => sum + result.cpuSeconds, 0));
  tell(
    `${results.length} files, ${asserted} assertions, ${failed.length} failed, ${seconds} s, ${cpuSeconds} s CPU, Node ${process.version}\n`,
  );
  for (const { piece } of failed) tell(`FAILED ${piece.name}\n`);
  return failed;
}

async function runSome(pieces: readonly Piece[], jobs: number, tell: RunOptions['tell']): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = pieces.values();
  const work = async (): Promise<void> => {
    // All take from the same line.
    for (const piece of waiting) {
      const result = await runPiece(piece);
      results.push(result);
      const times = `${result.seconds.toFixed(1).padStart(6)} s ${result.cpuSeconds.toFixed(1).padStart(6)} s CPU`;
      tell(`${result.passed ? 'ok    ' : 'FAILED'} ${times}  ${piece.name}\n`);
      if (!result.passed) tell(`${result.output.trimEnd()}\nFAILED ${piece.name}\n`);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return results;
}
