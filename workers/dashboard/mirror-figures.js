/** The figures of a mirror in words, for its card and its row. Pure. */
import { bytes, count, difference, duration, percent, share } from './format.js';
import { levelOf } from './trouble.js';

/**
 * How many of the pairs that were taken apart differ beyond noise; null where the mirror does not compare.
 */
export function beyondNoise({ compares, summary, compare }) {
  if (!compares) return null;
  const compared = summary?.compared ?? 0;
  if (compared === 0)
    return { text: compare.sampled > 0 ? 'being compared' : 'none compared yet', share: null };
  const { differentBeyondNoise, undecided } = summary;
  return {
    text: `${percent(differentBeyondNoise / compared)} of ${count(compared)}`,
    share: differentBeyondNoise / compared,
    undecided: undecided / compared,
  };
}

/** Pairs that differ at all, in a byte, a header or the status; noise is not taken out. */
export function rawDifference({ compare }) {
  return compare.paired > 0 ? compare.different / compare.paired : null;
}

export const addCompare = 'no field-by-field comparison: add `compare` to the mirror';

export function factsOf(mirror) {
  const { pairedDeltaUs, compare, queueUs, to, primary, kept, baseline, sink } = mirror;
  const list = [];
  if (kept !== null) {
    list.push({ name: 'kept', value: bytes(kept.bytes) });
    if (kept.segments > 0) list.push({ name: 'files', value: count(kept.segments) });
    if (kept.lag !== null) list.push({ name: 'not taken yet', value: plural(kept.lag, 'message') });
  }
  if (pairedDeltaUs.count > 0) {
    list.push(
      { name: `${to} − ${primary}, p50`, value: difference(pairedDeltaUs.p50), title: deltaTitle },
      { name: 'p99', value: difference(pairedDeltaUs.p99), title: deltaTitle },
    );
  }
  if (compare.paired > 0) {
    list.push({
      name: 'other status',
      value: `${percent(compare.statusDifferent / compare.paired)} of ${count(compare.paired)} pairs`,
    });
    const beyond = beyondNoise(mirror);
    if (beyond !== null) {
      list.push({ name: 'different beyond noise', value: beyond.text, bad: beyond.share > 0 });
      list.push({ name: 'raw', value: percent(rawDifference(mirror)), title: rawTitle });
    } else if (!sink) {
      list.push({ name: 'differences', value: addCompare });
    }
  }
  if (baseline !== null) {
    list.push({
      name: `baseline on ${baseline.to}`,
      value: `${(baseline.recent?.sent ?? 0).toFixed(1)}/s asked once more`,
      title:
        'Sampled requests are sent to the primary a second time, to learn how often it differs from itself.',
    });
  }
  list.push({ name: 'in the ring, p99', value: duration(queueUs.p99) });
  return list;
}

const deltaTitle = 'The latency of the shadow minus that of the primary for the same request.';
const rawTitle = 'Pairs that differ in a byte, a header or the status, noise included.';

/**
 * What holds a mirror back: its breakers, the guard over the primary, ejected endpoints, and a shadow that
 * does not take what it gets.
 */
export function chipsOf(mirror) {
  const { breaker, heldBackPercent, heldBytes, to, kept, ejected, state } = mirror;
  const chips = [];
  if (levelOf(state.level) >= levelOf('failing') && !kept?.trouble)
    chips.push({ text: state.text, bad: true });
  if (kept?.trouble) chips.push({ text: `stopped: ${kept.trouble}`, bad: true });
  if (breaker?.open > 0) chips.push({ text: `breaker open on ${plural(breaker.open, 'thread')}`, bad: true });
  else if (breaker?.opened > 0)
    chips.push({ text: `breaker closed, opened ${plural(breaker.opened, 'time')}`, bad: false });
  if (ejected > 0) chips.push({ text: `${plural(ejected, 'ejection')} now, over all threads`, bad: true });
  if (heldBackPercent > 0) {
    chips.push({
      text: `guard holds back ${share(heldBackPercent)} because the primary got worse`,
      bad: true,
    });
  }
  if (heldBytes > 0) chips.push({ text: `${bytes(heldBytes)} wait for ${to}`, bad: false });
  chips.push(...changesOf(mirror));
  return uniqueBy(chips, ({ text }) => text);
}

function changesOf({ change }) {
  if (change === null) return [];
  if (change.file === null) return [{ text: 'added live', bad: false }];
  const before = [
    ...(change.enabled === undefined ? [] : [change.file.enabled ? 'on' : 'off']),
    ...(change.percent === undefined ? [] : [share(change.file.percent)]),
  ];
  return [{ text: `changed live; the configuration says ${before.join(', ')}`, bad: false }];
}

function uniqueBy(list, keyOf) {
  return [...new Map(list.map((one) => [keyOf(one), one])).values()];
}

export function plural(n, word) {
  return `${count(n)} ${word}${n === 1 ? '' : 's'}`;
}
