/**
 * The verdict so far of a process, for whoever asks, however often. Judging takes milliseconds a mirror, so a
 * mirror is judged again only when pairs came, and no more often than its blocks make a difference: the
 * longer umbra runs, the less often. Control thread.
 */
import type { DiffsView } from '../report/diffs.js';
import { type Block, unitMs } from './block-series.js';
import { judge, type MirrorEvidence } from './judge.js';
import { defaultBounds, type MirrorVerdict, type Verdict, worst } from './verdict.js';

/** A mirror is judged at most so often. */
const everyMsMin = 900;
/** And at most so many times while one of its blocks fills. */
const judgementsPerBlock = 8;

interface Judged {
  readonly atMs: number;
  readonly blocks: readonly Block[];
  readonly baseline: readonly Block[];
  readonly diffs: DiffsView | null;
  readonly verdict: MirrorVerdict;
}

export class RunningVerdict {
  readonly #judged = new Map<string, Judged>();

  /**
   * `diffs` is the same object as long as nothing was compared. `nowMs` is a clock that does not go back.
   */
  of(mirrors: readonly MirrorEvidence[], diffs: DiffsView | null, nowMs: number): Verdict {
    const verdicts = mirrors.map((evidence) => this.#ofMirror(evidence, diffs, nowMs));
    return { outcome: worst(verdicts.map(({ outcome }) => outcome)), looks: 'repeated', mirrors: verdicts };
  }

  #ofMirror(evidence: MirrorEvidence, diffs: DiffsView | null, nowMs: number): MirrorVerdict {
    const { route, primary, shadow, blocks, baseline } = evidence;
    const key = JSON.stringify([route, primary, shadow]);
    const known = this.#judged.get(key);
    if (known !== undefined) {
      const isSame = known.blocks === blocks && known.baseline === baseline && known.diffs === diffs;
      const everyMs = Math.max(everyMsMin, (blocks[0]?.lengthMs ?? unitMs) / judgementsPerBlock);
      if (isSame || nowMs - known.atMs < everyMs) return known.verdict;
    }
    const [verdict] = judge([evidence], diffs, defaultBounds, 'repeated').mirrors;
    this.#judged.set(key, { atMs: nowMs, blocks, baseline, diffs, verdict });
    return verdict;
  }
}
