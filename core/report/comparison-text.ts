/**
 * Compares a primary and a shadow on the same requests, side by side, as text for reports and for the end of
 * the demo. Pure.
 */
import { dropReasons, failureReasons } from '../errors.js';
import { accountingGap } from '../record/law.js';
import { type MirrorSnapshot, total, type VersionSnapshot } from '../record/snapshot.js';
import { durationText } from './figures.js';

export interface Compared {
  readonly primaryName: string;
  readonly shadowName: string;
  readonly primary: VersionSnapshot;
  readonly shadow: VersionSnapshot;
  readonly mirror: MirrorSnapshot;
}

const percentiles = [50, 90, 99, 99.9];
const nameWidth = 15;
const columnWidthMin = 12;

export function comparisonText({ primaryName, shadowName, primary, shadow, mirror }: Compared): string {
  const heads = [`${primaryName} primary`, `${shadowName} shadow`, 'difference'];
  const widths = heads.map((head) => Math.max(columnWidthMin, head.length + 2));
  const row = (name: string, ...cells: (string | number)[]): string =>
    `  ${name.padEnd(nameWidth)}${cells.map((cell, i) => String(cell).padStart(widths[i])).join('')}`.trimEnd();
  const counts = (name: string, a: number, b: number): string => row(name, a, b, signed(b - a));
  const lines = [
    row('', ...heads),
    counts('requests', primary.requests, shadow.requests),
    counts('2xx', ofClass(primary, 2), ofClass(shadow, 2)),
    ...[3, 4, 5].flatMap((digit) => {
      const [a, b] = [ofClass(primary, digit), ofClass(shadow, digit)];
      return a + b > 0 ? [counts(`${digit}xx`, a, b)] : [];
    }),
    counts('failures', total(primary.failures), total(shadow.failures)),
  ];
  for (const p of percentiles) {
    const [a, b] = [primary.latency.percentileUs(p), shadow.latency.percentileUs(p)];
    lines.push(
      row(
        `latency p${p}`,
        durationText(a),
        durationText(b),
        `${b >= a ? '+' : '-'}${durationText(Math.abs(b - a))}`,
      ),
    );
  }
  lines.push(row('latency max', durationText(primary.latency.maxUs), durationText(shadow.latency.maxUs)));
  lines.push('');
  lines.push(`  ${accountsText(mirror)}`);
  lines.push(`  ${pairsText(mirror, shadowName)}`);
  return `${lines.join('\n')}\n`;
}

/**
 * `accountsText` returns the accounting law of one mirror with its numbers, in one line. Copies in rings are
 * in no counter yet, so under load a gap alone proves no loss.
 */
export function accountsText(mirror: MirrorSnapshot): string {
  const gap = accountingGap(mirror);
  const lost = gap.unsent + gap.unfinished;
  const open = mirror.inFlight === 0 ? '' : ` + ${mirror.inFlight} in flight`;
  return (
    `mirrored: ${mirror.eligible} eligible = ${mirror.sent} sent + ${reasons(mirror.dropped, dropReasons, 'dropped')}; ` +
    `${mirror.completed} completed + ${reasons(mirror.failed, failureReasons, 'failed')}${open}; ` +
    `${lost === 0 ? 'none unaccounted for' : `${lost} on the way to the shadow, or lost if this stays at rest`}`
  );
}

/** `pairsText` returns how the pairs of one mirror compare, in one line. */
export function pairsText(mirror: MirrorSnapshot, shadowName: string): string {
  const { deltaSlower: slower, deltaFaster: faster } = mirror;
  const middle = slower.count === 0 ? '' : `, by ${durationText(slower.percentileUs(50))} in the middle`;
  return (
    `paired:   ${mirror.paired} requests; ${shadowName} was slower in ${slower.count}${middle}, faster in ${faster.count}; ` +
    `the status differed in ${mirror.statusDifferent}`
  );
}

function reasons(counts: readonly number[], names: readonly string[], word: string): string {
  const parts = counts.flatMap((count, index) => (count > 0 ? [`${count} ${names[index]}`] : []));
  return parts.length === 0 ? `0 ${word}` : `${total(counts)} ${word} (${parts.join(', ')})`;
}

function ofClass(version: VersionSnapshot, digit: number): number {
  let count = 0;
  for (const [code, responses] of version.responses) if (Math.floor(code / 100) === digit) count += responses;
  return count;
}

function signed(value: number): string {
  return value > 0 ? `+${value}` : String(value);
}
