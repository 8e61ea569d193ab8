/**
 * One span of simulated traffic: pairs fall by a law, are counted where a shadow thread counts them, and are
 * judged.
 */
import { Drop } from '../../core/errors.js';
import { Differs, End, MirrorCounters } from '../../core/record/mirror-counters.js';
import { seededRandom } from '../../core/route/random.js';
import { type Block, BlockSeries } from '../../core/verdict/block-series.js';
import { PairReader } from '../../core/verdict/pair-reader.js';
import type { Draws, Law } from './laws.js';
import type { Scenario } from './scenarios.js';

const spanS = 100;
/** Errors that fall on the same request in both versions. */
const sharedErrors = 0.001;

/** `seededDraws` returns the same draws for the same seed. */
export function seededDraws(seed: number): Draws {
  const word = seededRandom(new Uint32Array([seed, 0x9e37_79b9, 0x7f4a_7c15, 0x1ce4_e5b9]));
  const uniform = (): number => word() / 2 ** 32;
  let spare = Number.NaN;
  return {
    uniform,
    normal: () => {
      if (!Number.isNaN(spare)) {
        const value = spare;
        spare = Number.NaN;
        return value;
      }
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
      const angle = 2 * Math.PI * uniform();
      spare = radius * Math.sin(angle);
      return radius * Math.cos(angle);
    },
  };
}

/** Normal draws of a table, a power of two. */
const tableSize = 65_536;

/**
 * `quickDraws` draws normal numbers from a table, for laws that need billions. Each number in it is there
 * with its negative, so that equal versions are exactly equal.
 */
export function quickDraws(seed: number): Draws {
  const { uniform, normal } = seededDraws(seed);
  const table = new Float64Array(tableSize);
  for (let i = 0; i < tableSize; i += 2) {
    table[i] = normal();
    table[i + 1] = -table[i];
  }
  return { uniform, normal: () => table[Math.floor(uniform() * tableSize)] };
}

export class Traffic {
  readonly #draws: Draws;
  readonly #counters = new MirrorCounters(MirrorCounters.create());
  readonly #reader = new PairReader();
  readonly #pair = new Float64Array(2);

  constructor(seed: number) {
    this.#draws = seededDraws(seed);
  }

  /**
   * Counts `pairs` over one span, in blocks of two seconds. Where `look` is given, it is called after each
   * second with the blocks so far; true ends the span.
   */
  run(
    law: Law,
    scenario: Scenario,
    pairs: number,
    look: ((blocks: readonly Block[]) => boolean) | null = null,
  ): readonly Block[] {
    const series = new BlockSeries();
    const moment = law.begin(this.#draws, spanS);
    const everyS = look === null ? 2 : 1;
    let dueS = everyS;
    for (let i = 0; i < pairs; i++) {
      const atS = (i / pairs) * spanS;
      while (atS >= dueS) {
        this.#take(series, dueS);
        dueS += everyS;
        if (look?.(series.blocks)) return series.blocks;
      }
      this.#count(moment, scenario, atS);
    }
    this.#take(series, spanS);
    look?.(series.blocks);
    return series.blocks;
  }

  #take(series: BlockSeries, atS: number): void {
    series.add(atS * 1000, this.#reader.read([this.#counters]));
  }

  #count(moment: ReturnType<Law['begin']>, scenario: Scenario, atS: number): void {
    const { uniform } = this.#draws;
    const counters = this.#counters;
    counters.eligible();
    const { errors = 0, ownErrors = 0, different = 0, down = 0 } = scenario;
    if (down > 0 && ((atS / spanS) * 10) % 1 < down) {
      counters.dropped(Drop.NO_ENDPOINT);
      return;
    }
    counters.sent();
    counters.completed();
    counters.queue.record(80);
    const both = uniform() < sharedErrors;
    const primary = both || (ownErrors > 0 && uniform() < ownErrors);
    const shadow = both || (ownErrors > 0 && uniform() < ownErrors) || (errors > 0 && uniform() < errors);
    counters.pairEnded(primary ? End.ERROR : End.OK, shadow ? End.ERROR : End.OK);
    moment(atS, this.#pair);
    if (primary || shadow) return;
    const slower = scenario.slower === undefined ? 1 : scenario.slower(this.#draws, atS / spanS);
    const differs = different > 0 && uniform() < different ? Differs.BODY : 0;
    counters.pairMeasured(this.#pair[0], this.#pair[1] * slower, differs, true);
  }
}
