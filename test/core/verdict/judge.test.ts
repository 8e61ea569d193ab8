import { type Law, laws } from '../../../bench/simulate/laws.js';
import { Traffic } from '../../../bench/simulate/run.js';
import { type Scenario, scenarios } from '../../../bench/simulate/scenarios.js';
import { tally, tallyUntilDecided } from '../../../bench/simulate/table.js';
import { Drop, dropReasons } from '../../../core/errors.js';
import type { DiffsView } from '../../../core/report/diffs.js';
import type { Block } from '../../../core/verdict/block-series.js';
import type { EndpointPairs } from '../../../core/verdict/endpoint-pairs.js';
import { judge } from '../../../core/verdict/judge.js';
import { junitXml } from '../../../core/verdict/junit.js';
import { needsOf } from '../../../core/verdict/needs.js';
import { noPairs, type PairCounts } from '../../../core/verdict/pair-counts.js';
import { SlotCounts } from '../../../core/verdict/slot-counts.js';
import { type Check, type CheckName, defaultBounds, type Verdict } from '../../../core/verdict/verdict.js';
import { verdictText } from '../../../core/verdict/verdict-text.js';
import t from '../../support/tap.js';

const law = (name: string): Law => laws.find((one) => one.name === name)!;
const scenario = (name: string): Scenario => scenarios.find((one) => one.name === name)!;
/** Ten thousand pairs of equal versions, in fifty blocks. */
const equal = new Traffic(5).run(law('lognormal'), scenario('equal'), 10_000);
const equalBlocks = (): readonly Block[] => equal;

function verdictOf(
  blocks: readonly Block[],
  diffs: DiffsView | null = null,
  baseline: readonly Block[] = [],
  endpoints: readonly EndpointPairs[] = [],
): Verdict {
  const evidence = { route: 'reviews', primary: 'v1', shadow: 'v2', blocks, baseline, endpoints };
  return judge([evidence], diffs, defaultBounds, 'once');
}

function checkOf(verdict: Verdict, name: CheckName): Check {
  return verdict.mirrors[0].checks.find((check) => check.name === name)!;
}

/** Every block with other counts. */
function changed(blocks: readonly Block[], change: (pairs: PairCounts) => Partial<PairCounts>): Block[] {
  return blocks.map((block) => ({ ...block, pairs: { ...block.pairs, ...change(block.pairs) } }));
}

const dropsOf = (drop: Drop, count: number): number[] =>
  dropReasons.map((_, index) => (index === drop ? count : 0));

t.test('a short simulation: equal versions do not fail, and versions that are worse are found', async (t) => {
  for (const { name } of laws) {
    const counts = tally(law(name), scenario('equal'), 2000, 1, 11);
    t.equal(counts.fail, 0, `${name}: ${JSON.stringify(counts)}`);
  }
  for (const { name, right, errors } of scenarios) {
    if (right === 'pass') continue;
    const counts = tally(law('lognormal'), scenario(name), errors === undefined ? 4000 : 10_000, 1, 12);
    t.equal(counts.fail, 1, `${name}: ${JSON.stringify(counts)}`);
  }
  const looked = tallyUntilDecided(law('own bursts'), scenario('equal'), 2000, 1, 13);
  t.equal(looked.fail, 0, JSON.stringify(looked));
});

t.test('nothing, too few pairs and too few blocks are undecided, and say so', async (t) => {
  const nothing = verdictOf([]);
  t.equal(nothing.outcome, 'undecided');
  t.match(checkOf(nothing, 'errors'), {
    outcome: 'undecided',
    why: 'few-pairs',
    text: /^nothing was measured/,
  });
  t.equal(checkOf(verdictOf(equalBlocks().slice(0, 4)), 'errors').why, 'few-pairs');
  const short = verdictOf(equalBlocks().slice(0, 9));
  t.match(checkOf(short, 'latency'), { outcome: 'undecided', why: 'few-blocks' });
  t.equal(judge([], null, defaultBounds, 'once').outcome, 'undecided');
  t.match(verdictText(judge([], null, defaultBounds, 'once'), 'x'), 'no mirror is switched on');
  // A share over nothing is no number, and no text shows it.
  t.notMatch(verdictText(nothing, 'x'), /NaN|Infinity/);
});

t.test(
  'copies that a shadow refuses while it is down are its errors, unless the primary is down too',
  async (t) => {
    const down = changed(equalBlocks(), () => ({ dropped: dropsOf(Drop.NO_ENDPOINT, 20) }));
    const check = checkOf(verdictOf(down), 'errors');
    t.equal(check.outcome, 'fail');
    t.match(check.text, /while it was down/);
    const both = changed(equalBlocks(), ({ bothOk }) => ({
      dropped: dropsOf(Drop.BREAKER_OPEN, 20),
      bothOk: 0,
      bothErrors: bothOk,
    }));
    t.not(checkOf(verdictOf(both), 'errors').outcome, 'fail');
  },
);

t.test('a version that answers nothing but errors for a while was down, and fails', async (t) => {
  const blocks = equalBlocks().map((block, i) =>
    i === 20 || i === 21
      ? { ...block, pairs: { ...block.pairs, bothOk: 10, shadowErrors: block.pairs.bothOk } }
      : block,
  );
  t.match(checkOf(verdictOf(blocks), 'errors'), { outcome: 'fail', text: /while it was down/ });
});

t.test('errors of one incident are undecided, and the text says that they come in bursts', async (t) => {
  const blocks = equalBlocks();
  const once = blocks.map((block, i) =>
    i === 20 ? { ...block, pairs: { ...block.pairs, shadowErrors: 40 } } : block,
  );
  t.match(checkOf(verdictOf(once), 'errors'), { outcome: 'undecided', why: 'bursts', text: /bursts/ });
});

t.test('a status that differs fails, however the latencies are', async (t) => {
  const blocks = changed(equalBlocks(), () => ({ statusDifferent: 1, different: 1 }));
  t.equal(checkOf(verdictOf(blocks), 'status').outcome, 'fail');
});

t.test(
  'copies that umbra dropped make the verdict undecided, and copies left out by choice do not',
  async (t) => {
    const lost = verdictOf(changed(equalBlocks(), () => ({ dropped: dropsOf(Drop.RING_FULL, 50) })));
    t.match(checkOf(lost, 'coverage'), { outcome: 'undecided', why: 'coverage', text: /ring-full/ });
    const chosen = verdictOf(changed(equalBlocks(), () => ({ dropped: dropsOf(Drop.METHOD, 50) })));
    t.equal(checkOf(chosen, 'coverage').outcome, 'pass');
    t.match(chosen.mirrors[0].notes, [/^not mirrored: [\d ]+ method$/]);
    const unexamined = changed(equalBlocks(), () => ({
      sampled: 100,
      examined: 50,
      unexamined: [0, 0, 50, 0],
    }));
    t.match(checkOf(verdictOf(unexamined), 'coverage'), { outcome: 'undecided', text: /analysts-busy/ });
  },
);

t.test(
  'a bound on copies in flight is held against a shadow that is slow, and not against one that is not',
  async (t) => {
    const limited = changed(equalBlocks(), () => ({ dropped: dropsOf(Drop.IN_FLIGHT, 40) }));
    const slow = changed(limited, ({ primary }) => ({
      shadow: new SlotCounts(
        primary.slots.map((slot) => slot + 128),
        primary.counts,
      ),
    }));
    t.equal(checkOf(verdictOf(slow), 'errors').outcome, 'fail');
    const fast = changed(limited, ({ primary }) => ({ shadow: primary }));
    t.not(checkOf(verdictOf(fast), 'errors').outcome, 'fail');
    t.equal(checkOf(verdictOf(fast), 'coverage').outcome, 'undecided');
    // Copies of a full machine are sent late and all at once, and then take a little longer too.
    const late = changed(limited, ({ primary }) => ({
      shadow: new SlotCounts(
        primary.slots.map((slot) => slot + 16),
        primary.counts,
      ),
    }));
    t.not(checkOf(verdictOf(late), 'errors').outcome, 'fail');
    // While umbra's thread stands still, no copy ends.
    const still = equalBlocks().map((block, i) =>
      i % 7 === 0 ? { ...block, pairs: { ...noPairs, dropped: dropsOf(Drop.IN_FLIGHT, 400) } } : block,
    );
    t.not(checkOf(verdictOf(still), 'errors').outcome, 'fail');
  },
);

function diffs(over: Partial<DiffsView['mirrors'][number]>): DiffsView {
  const summary = {
    route: 'reviews',
    version: 'v2',
    sinceMs: 1,
    compared: 5000,
    different: 5000,
    differentBeyondNoise: 0,
    undecided: 0,
    notComparable: 0,
    overflow: [],
    noisiest: null,
    any: { shadowOnly: 0, baselineOnly: 0, triples: 0 },
    unplaced: 0,
    sets: [],
    baseline: { version: 'v1', compared: 5000 },
  };
  const samples = [{ id: '3-17', request: 'GET /reviews/7', at: '', primary: '4', shadow: '5' }];
  const group = {
    route: 'reviews',
    version: 'v2',
    endpoint: 'GET /reviews/*',
    change: 'value',
    constant: false,
    count: 1,
    compared: 5000,
    baseline: null,
    triples: { shadowOnly: 0, baselineOnly: 0, pairs: 0 },
    repeats: { shadowOnly: 0, baselineOnly: 0 },
    steady: { pairs: 0, primary: 0, shadow: 0 },
    samples,
  } as const;
  return {
    groups: [
      { ...group, id: 'a', kind: 'json', path: '$.stars', class: 'different', noise: false },
      { ...group, id: 'b', kind: 'json', path: '$.nonce', class: 'noise', noise: true },
    ],
    mirrors: [{ ...summary, ...over }],
  };
}

t.test(
  'where bytes differ, the pairs that were taken apart decide, and what is uncertain is undecided',
  async (t) => {
    const noisy = changed(equalBlocks(), ({ bothOk }) => ({ different: bothOk }));
    const outcome = (over: Parameters<typeof diffs>[0]) => {
      const { outcome, why } = checkOf(verdictOf(noisy, diffs(over)), 'differences');
      return why ?? outcome;
    };
    t.equal(outcome({}), 'pass');
    t.equal(outcome({ differentBeyondNoise: 100 }), 'fail');
    t.equal(outcome({ undecided: 100 }), 'noise');
    t.equal(outcome({ overflow: ['diffGroups'] }), 'overflow');
    t.equal(outcome({ compared: 500, different: 500 }), 'few-pairs');
    t.equal(
      outcome({ compared: 500, different: 500, overflow: ['restart'] }),
      'overflow',
      'no wait mends it',
    );
    t.equal(outcome({ compared: 1500, different: 1500 }), 'wide');
    t.equal(outcome({ differentBeyondNoise: 6000 }), 'fail', 'no share is above 1');
    t.equal(checkOf(verdictOf(noisy), 'differences').why, 'unknown-noise');
    const some = changed(equalBlocks(), ({ bothOk }) => ({ different: Math.round(bothOk / 5) }));
    t.equal(checkOf(verdictOf(some), 'differences').outcome, 'fail', 'nothing is ever taken apart');
    for (const blocks of [some, noisy]) {
      const none = { compared: 0, different: 0, baseline: null };
      const later = checkOf(verdictOf(blocks, diffs(none)), 'differences');
      t.match(later, { outcome: 'undecided', why: 'few-pairs', pairs: 0, measured: 0 });
      t.match(
        later.text,
        /^no pair was taken apart; [\d\s]+ of [\d\s]+ pairs differed in a byte; undecided: /,
      );
      const again = checkOf(verdictOf(blocks, diffs({ ...none, overflow: ['restart'] })), 'differences');
      t.match(again, {
        outcome: 'undecided',
        why: 'overflow',
        text: /counts were restarted meanwhile \(restart\)$/,
      });
    }
    const both = checkOf(verdictOf(noisy, diffs({ overflow: ['diffGroups', 'restart'] })), 'differences');
    t.match(both.text, /the bound diffGroups was exceeded, and their counts were restarted meanwhile/);
    const same = verdictOf(equalBlocks(), diffs({ overflow: ['diffGroups'] }));
    t.equal(checkOf(same, 'differences').outcome, 'pass', 'equal bytes need no closer look');
    const header = verdictOf(equalBlocks(), diffs({ compared: 50, different: 50, differentBeyondNoise: 50 }));
    t.equal(checkOf(header, 'differences').outcome, 'fail', 'checksums do not see every header field');
  },
);

t.test(
  'a failure is shown with a pair, its id and both values, and noise that was learned is named',
  async (t) => {
    const noisy = changed(equalBlocks(), ({ bothOk }) => ({ different: bothOk }));
    const verdict = verdictOf(noisy, diffs({ differentBeyondNoise: 100 }));
    const text = verdictText(verdict, 'http://umbra');
    t.match(text, /^FAIL {2}http:\/\/umbra\n\n {2}reviews: v2 \(shadow\) against v1 \(primary\)\n/);
    t.match(text, 'example    GET /reviews/7 (id 3-17), json $.stars value: v1 4 | v2 5');
    t.match(text, 'note       learned as noise: GET /reviews/* json $.nonce');
    const xml = junitXml(verdict);
    t.match(xml, '<testsuite name="reviews: v2 against v1" tests="6" failures="1"');
    t.match(xml, /<testcase classname="[^"]+" name="differences"><failure message="100 of 5 000 pairs/);
  },
);

/** v2 as a shadow, and v1 as a shadow, so many times as slow as v1. */
function slowed(shadow: number, queueSlot = 10): Block[] {
  const slower = { name: 'slower', right: 'fail', slower: () => shadow } as const;
  const blocks = new Traffic(6).run(law('lognormal'), slower, 10_000);
  return changed(blocks, ({ queue }) => ({
    queue: new SlotCounts(Uint16Array.of(queueSlot), queue.counts.slice(0, 1)),
  }));
}

t.test('a shadow fails only above the resolution of umbra, and above its baseline', async (t) => {
  t.equal(checkOf(verdictOf(slowed(1.1)), 'latency').outcome, 'fail');
  // 600 us of delay in the queue are 12 % of the median.
  const delayed = slowed(1.1, 64 * 4 + 20);
  t.match(checkOf(verdictOf(delayed), 'latency'), {
    outcome: 'undecided',
    why: 'resolution',
    text: /own delay, [0-9]+ us in the middle beside a median of [0-9.]+ ms, may show \+1[0-9.]+ % by itself/,
  });
  t.equal(checkOf(verdictOf(delayed, null, slowed(1)), 'latency').outcome, 'fail', 'a baseline is on time');
  t.not(checkOf(verdictOf(delayed, null, slowed(1.1)), 'latency').outcome, 'fail', 'a baseline is as late');
  t.equal(checkOf(verdictOf(slowed(3), null, slowed(1)), 'tail').outcome, 'fail');
  t.match(checkOf(verdictOf(slowed(3), null, slowed(3)), 'tail'), { outcome: 'undecided', why: 'baseline' });
});

t.test('a plan says how many pairs each check needs', async (t) => {
  const blocks = equalBlocks();
  const { needs, pairsPerSecond } = needsOf(verdictOf(blocks).mirrors[0], blocks, 1000);
  t.ok(pairsPerSecond > 90 && pairsPerSecond < 110, `${pairsPerSecond}`);
  for (const { name, pairs, seconds } of needs) {
    t.ok(pairs >= 1000 && pairs < 100_000, `${name}: ${pairs}`);
    t.ok(Math.abs(seconds - pairs / pairsPerSecond) < seconds / 10, `${name}: ${seconds} s`);
  }
  const none = needsOf(verdictOf([]).mirrors[0], [], 1000);
  t.ok(none.needs.every(({ seconds }) => seconds === Number.POSITIVE_INFINITY));
});
