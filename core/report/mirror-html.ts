/** A mirror's section of a report: what became of its copies and why, and how its pairs compare. Pure. */
import { drops, failures } from '../errors.js';
import { signedPercentileUs } from '../record/histogram.js';
import { type MirrorSnapshot, total } from '../record/snapshot.js';
import { accountsText } from './comparison-text.js';
import type { DiffSummaryView } from './diffs.js';
import { endpointTable } from './endpoint-table.js';
import { countText, durationText, shareText } from './figures.js';
import { escapeHtml } from './html-escape.js';
import { htmlTable, type Row } from './html-table.js';
import type { MirrorReport } from './report.js';
import { keptText } from './sink-text.js';

/** `summary` is of the pairs that were taken apart; null where the mirror does not compare. */
export function mirrorHtml(mirror: MirrorReport, summary: DiffSummaryView | null): string {
  const { route, primary, to, share, slower, faster, counts } = mirror;
  const head = `${route}: ${primary ?? 'primary'} → ${to}${share === null ? '' : `, ${share}`}`;
  const parts = [`<h3>${escapeHtml(head)}</h3>`];
  if (counts !== null) {
    parts.push(`<p>${escapeHtml(accountsText(counts))}</p>`);
    if (mirror.isSink) parts.push(`<p>${escapeHtml(keptText(counts))}</p>`);
    const lost = lossRows(counts);
    if (lost.length > 0)
      parts.push(htmlTable(['copies that were lost', 'copies', 'share', 'why'], lost, 'why-table'));
  }
  if (slower.count + faster.count + (counts?.paired ?? 0) > 0) parts.push(pairsHtml(mirror, summary));
  if (mirror.endpoints.length > 0) parts.push(endpointsHtml(mirror));
  return parts.join('\n');
}

/** `lossRows` returns a row for each reason, the most frequent first. */
function lossRows(counts: MirrorSnapshot): Row[] {
  const rows = [
    ...drops.map(({ code, when }, i) => ({ what: `dropped: ${code}`, lost: counts.dropped[i], when })),
    ...failures.map(({ code, when }, i) => ({ what: `failed: ${code}`, lost: counts.failed[i], when })),
  ]
    .filter(({ lost }) => lost > 0)
    .sort((a, b) => b.lost - a.lost);
  return rows.map(({ what, lost, when }) => ({
    cells: [what, countText(lost), shareText(lost / Math.max(1, counts.eligible)), when],
  }));
}

function pairsHtml(mirror: MirrorReport, summary: DiffSummaryView | null): string {
  const { primary, to, slower, faster, counts } = mirror;
  const delta = (p: number): string => {
    const us = signedPercentileUs(faster, slower, p);
    return `${us > 0 ? '+' : us < 0 ? '−' : ''}${durationText(Math.abs(us))}`;
  };
  const facts: (readonly [name: string, value: string, isBad?: boolean])[] = [
    ['pairs', countText(slower.count + faster.count)],
    ...[1, 50, 90, 99].map((p) => [`${to} − ${primary ?? 'primary'}, p${p}`, delta(p)] as const),
    ['slower', countText(slower.count)],
    ['faster', countText(faster.count)],
  ];
  if (counts !== null && counts.paired > 0) {
    facts.push(['status differs', shareText(counts.statusDifferent / counts.paired)]);
    facts.push(differing(summary));
    facts.push(['different, raw', shareText(counts.different / counts.paired)]);
    if (total(counts.failed) > 0) facts.push(['failed', countText(total(counts.failed)), true]);
  }
  const shown = facts.map(
    ([name, value, isBad]) =>
      `<div><dt>${escapeHtml(name)}</dt><dd${isBad === true ? ' class="bad"' : ''}>${escapeHtml(value)}</dd></div>`,
  );
  return `<dl class="facts">${shown.join('')}</dl>`;
}

function differing(summary: DiffSummaryView | null): readonly [string, string, boolean?] {
  const name = 'different beyond noise';
  if (summary === null) return [name, 'no field-by-field comparison: add `compare`'];
  const { compared, differentBeyondNoise } = summary;
  if (compared === 0) return [name, 'no pair was compared'];
  return [
    name,
    `${shareText(differentBeyondNoise / compared)} of ${countText(compared)}`,
    differentBeyondNoise > 0,
  ];
}

function endpointsHtml({ endpoints, primary, to }: MirrorReport): string {
  const { heads, rows, more } = endpointTable(endpoints, primary ?? 'primary', to);
  return [
    '<p class="dim">Pairs by endpoint; latencies are of pairs without an error, in steps of up to 6 %:</p>',
    htmlTable(
      heads,
      rows.map((cells) => ({ cells })),
    ),
    ...(more === 0 ? [] : [`<p class="dim">and ${countText(more)} more endpoints</p>`]),
  ].join('\n');
}
