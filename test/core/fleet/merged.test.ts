import fc from 'fast-check';
import { decodeMember, encodeMember, type Member } from '../../../core/fleet/member.js';
import { mergeDiffs, mergeReadings } from '../../../core/fleet/merged.js';
import { isStale, rollCallLines, rollCallNotes, type SeenMember } from '../../../core/fleet/roll-call.js';
import { SLOTS } from '../../../core/record/hdr-layout.js';
import { Histogram } from '../../../core/record/histogram.js';
import { readMirror, readVersion } from '../../../core/record/snapshot.js';
import { noControlCounts } from '../../../core/report/control-counts.js';
import type { DiffGroupView, DiffsView } from '../../../core/report/diffs.js';
import type { Reading } from '../../../core/report/reading.js';
import t from '../../support/tap.js';

function histogramOf(slots: readonly number[]): Histogram {
  if (slots.length === 0) return Histogram.read([]);
  const counts = new Float64Array(SLOTS);
  for (const slot of slots) counts[slot]++;
  return Histogram.ofSlots(counts, { sumUs: slots.length });
}

function readingOf(slots: readonly number[], version = 'v1'): Reading {
  const counts = { ...readVersion([]), requests: slots.length, latency: histogramOf(slots) };
  const mirror = { ...readMirror([]), eligible: slots.length, queue: histogramOf(slots) };
  return {
    generation: 1,
    uptimeS: 1,
    engine: 'uws',
    versions: [{ name: version, role: 'primary', counts }],
    mirrors: [
      {
        route: 'reviews',
        to: 'v2',
        primaries: [version],
        primary: version,
        baselineOf: null,
        isSink: false,
        enabled: true,
        percent: 100,
        heldBackPercent: 0,
        blocks: [],
        endpoints: [],
        counts: mirror,
      },
    ],
    threads: [],
    rings: [{ name: 'proxy-0/shadow-0', usedBytes: 1 }],
    routes: [],
    endpoints: [],
    names: [],
    pulses: [],
    control: noControlCounts,
  };
}

function memberOf(name: string, reading: Reading, changes: Partial<SeenMember> = {}): SeenMember {
  const about = { id: name, intervalMs: 1000, left: false, configuration: 'a', revision: null };
  return { name, ...about, reading, diffs: null, rollouts: [], ageMs: 0, ...changes };
}

const slotLists = fc.array(fc.array(fc.nat(SLOTS - 1), { maxLength: 50 }), { minLength: 1, maxLength: 5 });

t.test('parts that travelled merge to exactly what one recorder of all would hold', async (t) => {
  fc.assert(
    fc.property(slotLists, (parts) => {
      const members = parts.map((slots, i) => {
        const { ageMs: _, ...member } = memberOf(`m${i}`, readingOf(slots));
        return decodeMember(JSON.parse(JSON.stringify(encodeMember(member))));
      });
      const merged = mergeReadings(members);
      const whole = new Float64Array(SLOTS);
      for (const slot of parts.flat()) whole[slot]++;
      for (const histogram of [merged.versions[0].counts.latency, merged.mirrors[0].counts.queue]) {
        const found = new Float64Array(SLOTS);
        histogram.forEachSlot((_, count, slot) => {
          found[slot] = count;
        });
        if (!found.every((count, slot) => count === whole[slot])) return false;
        if (histogram.sumUs !== parts.flat().length) return false;
      }
      return merged.versions[0].counts.requests === parts.flat().length;
    }),
    { numRuns: 50 },
  );
  t.pass();
});

t.test('what only some instances have stays, and rings are named by instance', async (t) => {
  const merged = mergeReadings([memberOf('a', readingOf([1], 'v1')), memberOf('b', readingOf([1, 2], 'v3'))]);
  t.same(
    merged.versions.map(({ name, counts }) => [name, counts.requests]),
    [
      ['v1', 1],
      ['v3', 2],
    ],
  );
  t.equal(merged.mirrors[0].primary, 'v1 + v3');
  t.same(
    merged.rings.map(({ name }) => name),
    ['a/proxy-0/shadow-0', 'b/proxy-0/shadow-0'],
  );
});

t.test('an instance that knows more reasons than another loses none of them', async (t) => {
  const [a, b] = [readingOf([1]), readingOf([1])];
  const more = { ...b.mirrors[0], counts: { ...b.mirrors[0].counts, dropped: [1, ...Array(20).fill(0), 7] } };
  const merged = mergeReadings([memberOf('a', a), memberOf('b', { ...b, mirrors: [more] })]);
  t.same([merged.mirrors[0].counts.dropped[0], merged.mirrors[0].counts.dropped[21]], [1, 7]);
});

t.test('differences add up by place, and travel without their samples', async (t) => {
  const samples = [{ id: '1', request: 'GET /', at: '$.a', primary: 'secret', shadow: 'other' }];
  const none = { shadowOnly: 0, baselineOnly: 0 };
  const group: Omit<DiffGroupView, 'count'> = {
    id: 'g1',
    route: 'r',
    version: 'v2',
    endpoint: 'GET /',
    kind: 'json',
    path: '$.a',
    change: 'value',
    compared: 10,
    baseline: { count: 0, compared: 9 },
    triples: { pairs: 9, ...none, shadowOnly: 6 },
    repeats: none,
    steady: { pairs: 0, primary: 0, shadow: 0 },
    class: 'undecided',
    noise: false,
    constant: false,
    samples,
  };
  const view = (count: number): DiffsView => ({
    groups: [{ ...group, count }],
    mirrors: [
      {
        route: 'r',
        version: 'v2',
        sinceMs: 1,
        compared: 10,
        different: count,
        differentBeyondNoise: 0,
        undecided: count,
        noisiest: null,
        notComparable: 0,
        overflow: count === 7 ? ['diffGroups'] : [],
        baseline: { version: 'v1', compared: 9 },
        any: { ...none, triples: 9 },
        unplaced: 0,
        sets: [{ groups: ['g1'], pairs: count }],
      },
    ],
  });
  const merged = mergeDiffs([view(6), null, view(7)]);
  t.match(merged, {
    groups: [{ count: 13, compared: 20, triples: { pairs: 18, shadowOnly: 12 }, class: 'different' }],
    mirrors: [
      { compared: 20, different: 13, differentBeyondNoise: 13, undecided: 0, overflow: ['diffGroups'] },
    ],
  });
  const { ageMs: _, ...member } = memberOf('a', readingOf([1]), { diffs: view(6) });
  t.notMatch(JSON.stringify(encodeMember(member)), /secret/);
});

t.test('who is stale, has left or is configured otherwise is named', async (t) => {
  const reading = readingOf([1]);
  const members = [
    memberOf('a', reading),
    memberOf('b', reading, { ageMs: 6000 }),
    memberOf('c', reading, { ageMs: 60_000, left: true }),
    memberOf('d', reading, { configuration: 'b', revision: 7 }),
    memberOf('e', reading, { ageMs: 6000, intervalMs: 60_000 }),
  ];
  t.same(members.map(isStale), [false, true, false, false, false]);
  t.same(rollCallNotes(members), [
    'b was last heard 6 s ago; its counts until then are included',
    'c left 1 min 0 s ago; its counts are included',
    'd runs another configuration (generation 1, revision 7)',
  ]);
  const lines = rollCallLines(members, new Map());
  t.match(lines[2], /^b .* stale$/);
  t.match(lines[4], /^d .*rev 7 .* serving, differs$/);
});

t.test('what is no snapshot is refused in a few words', async (t) => {
  for (const wrong of [null, 1, 'x', [], {}, { name: 'a', id: 'b', intervalMs: 1, reading: {} }]) {
    t.throws(() => decodeMember(wrong), /this is not a snapshot of umbra|not the figures of this version/);
  }
  const { ageMs: _, ...member }: SeenMember = memberOf('a', readingOf([3]));
  const read: Member = decodeMember(JSON.parse(JSON.stringify(encodeMember(member))));
  t.equal(read.reading.versions[0].counts.latency.count, 1);
});
