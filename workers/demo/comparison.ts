/** The demo's last words: what v1 and v2 did with the same requests, side by side, as text. Pure. */
import { dropReasons, failureReasons } from '../../core/errors.js';
import { accountingGap } from '../../core/record/law.js';
import { type MirrorSnapshot, total, type VersionSnapshot } from '../../core/record/snapshot.js';

export interface Compared {
  readonly v1: VersionSnapshot;
  readonly v2: VersionSnapshot;
  readonly mirror: MirrorSnapshot;
}

const percentiles = [50, 90, 99];
const nameWidth = 14;
const columnWidth = 12;

export function comparisonText({ v1, v2, mirror }: Compared): string {
  const lines = [
    row('', 'v1 primary', 'v2 shadow', 'difference'),
    row('requests', v1.requests, v2.requests, signed(v2.requests - v1.requests)),
    row('2xx', successes(v1), successes(v2), signed(successes(v2) - successes(v1))),
    row('failures', total(v1.failures), total(v2.failures), signed(total(v2.failures) - total(v1.failures))),
  ];
  for (const p of percentiles) {
    const [a, b] = [v1.latency.percentileUs(p), v2.latency.percentileUs(p)];
    lines.push(row(`latency p${p}`, ms(a), ms(b), `${b >= a ? '+' : '-'}${ms(Math.abs(b - a))}`));
  }
  lines.push(row('latency max', ms(v1.latency.maxUs), ms(v2.latency.maxUs), ''));
  lines.push('');
  lines.push(`  ${accounts(mirror)}`);
  lines.push(`  ${pairs(mirror)}`);
  return `${lines.join('\n')}\n`;
}

function accounts(mirror: MirrorSnapshot): string {
  const gap = accountingGap(mirror);
  const lost = gap.unsent + gap.unfinished;
  return (
    `mirrored: ${mirror.eligible} eligible = ${mirror.sent} sent + ${reasons(mirror.dropped, dropReasons, 'dropped')}; ` +
    `${mirror.completed} completed + ${reasons(mirror.failed, failureReasons, 'failed')}; ` +
    `${lost === 0 ? 'none unaccounted for' : `${lost} UNACCOUNTED FOR`}`
  );
}

function pairs(mirror: MirrorSnapshot): string {
  const slower = mirror.deltaSlower.count;
  return (
    `paired:   ${mirror.paired} requests; v2 was slower in ${slower} of them, ` +
    `by ${ms(mirror.deltaSlower.percentileUs(50))} in the middle; the status differed in ${mirror.statusDifferent}`
  );
}

function reasons(counts: readonly number[], names: readonly string[], word: string): string {
  const parts = counts.flatMap((count, index) => (count > 0 ? [`${count} ${names[index]}`] : []));
  return parts.length === 0 ? `0 ${word}` : `${total(counts)} ${word} (${parts.join(', ')})`;
}

function successes(version: VersionSnapshot): number {
  let count = 0;
  for (const [code, responses] of version.responses) if (code >= 200 && code <= 299) count += responses;
  return count;
}

function row(name: string, ...cells: (string | number)[]): string {
  return `  ${name.padEnd(nameWidth)}${cells.map((cell) => String(cell).padStart(columnWidth)).join('')}`.trimEnd();
}

function ms(us: number): string {
  return `${(us / 1000).toFixed(1)} ms`;
}

function signed(value: number): string {
  return value > 0 ? `+${value}` : String(value);
}
