/** A report as text for terminals and mail. Pure. */
import { printable } from '../printable.js';
import { addVersions } from '../record/snapshot.js';
import { mirrorLines as mirrorVerdictLines, outcomeWords } from '../verdict/verdict-text.js';
import { accountsText, comparisonText, pairsText } from './comparison-text.js';
import { diffGroupLines } from './diffs-text.js';
import { type EndpointTable, endpointTable } from './endpoint-table.js';
import { errorsOf } from './errors-of.js';
import { countText, durationText, shareText } from './figures.js';
import { grpcMethodTable } from './grpc-methods.js';
import type { MirrorReport, Report, VersionReport } from './report.js';
import { rolloutNoteLines } from './rollout-note.js';
import { keptText } from './sink-text.js';

const heads = ['requests', 'errors', 'p50', 'p90', 'p99', 'p99.9', 'max'];
const columnWidth = 11;
const nameWidthMin = 16;

export function reportText(report: Report): string {
  const lines = [`umbra report of ${report.source}, ${report.madeAt}`];
  if (report.facts.length > 0)
    lines.push(`  ${report.facts.map(([name, value]) => `${name} ${value}`).join('; ')}`);
  for (const line of rolloutNoteLines(report.rollouts)) lines.push(`  ${line}`);
  for (const note of report.notes) lines.push(`  note: ${note}`);
  for (const mirror of report.verdict?.mirrors ?? [])
    lines.push(
      '',
      `  verdict: ${outcomeWords[mirror.outcome]}`,
      ...mirrorVerdictLines(mirror).map((line) => `  ${line}`),
    );
  lines.push('', ...versionLines(report.versions), ...methodLines(report.versions));
  for (const mirror of report.mirrors)
    lines.push('', ...mirrorLines(mirror, report.versions), ...endpointLines(mirror));
  if (report.diffs !== null) lines.push('', ...diffGroupLines(report.diffs).map((line) => `  ${line}`));
  return `${lines.map(printable).join('\n')}\n`;
}

function versionLines(versions: readonly VersionReport[]): string[] {
  const names = versions.map(({ name, role }) => `${name} ${role}`.trim());
  const width = Math.max(nameWidthMin, ...names.map((name) => name.length + 2));
  const row = (name: string, cells: readonly string[]): string =>
    `  ${name.padEnd(width)}${cells.map((cell) => cell.padStart(columnWidth)).join('')}`.trimEnd();
  if (versions.length === 0) return ['  no version was measured'];
  return [row('', heads), ...versions.map((version, i) => row(names[i], versionCells(version)))];
}

/** `versionCells` returns the cells of one version, in the order of the heads of a report's table. */
export function versionCells({ latency, counts }: VersionReport): string[] {
  const errors = counts === null ? null : errorsOf(counts);
  return [
    countText(counts?.requests ?? latency.count),
    errors === null || errors.count === 0 ? '-' : shareText(errors.hits / errors.count),
    ...[50, 90, 99, 99.9].map((p) => (latency.count === 0 ? '-' : durationText(latency.percentileUs(p)))),
    latency.count === 0 ? '-' : durationText(latency.maxUs),
  ];
}

function endpointLines({ endpoints, primary, to }: MirrorReport): string[] {
  if (endpoints.length === 0) return [];
  const table = endpointTable(endpoints, primary ?? 'primary', to);
  return tableLines('pairs by endpoint:', table, 'endpoints');
}

function methodLines(versions: readonly VersionReport[]): string[] {
  const table = grpcMethodTable(versions);
  return table === null ? [] : tableLines('gRPC calls by method:', table, 'methods');
}

function tableLines(title: string, { heads, rows, more }: EndpointTable, what: string): string[] {
  const widths = heads.map((head, i) => Math.max(head.length, ...rows.map((row) => row[i].length)));
  const line = (cells: readonly string[]): string =>
    `    ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i] + 2))).join('')}`;
  return [
    '',
    `  ${title}`,
    line(heads),
    ...rows.map(line),
    ...(more === 0 ? [] : [`    and ${countText(more)} more ${what}`]),
  ];
}

function mirrorLines(mirror: MirrorReport, versions: readonly VersionReport[]): string[] {
  const { route, primary, primaries, to, share, counts, slower, faster } = mirror;
  const head = `  route ${route}: ${primary ?? 'primary'} to ${to}${share === null ? '' : `, ${share}`}`;
  const find = (name: string, role: string) =>
    versions.find((version) => version.name === name && version.role === role)?.counts ?? null;
  const firsts = primaries.map((name) => find(name, 'primary')).filter((counts) => counts !== null);
  const first = firsts.length === 0 ? null : firsts.reduce(addVersions);
  const second = find(to, 'shadow');
  if (counts !== null && first !== null && second !== null && primary !== null) {
    const compared = { primaryName: primary, shadowName: to, primary: first, shadow: second, mirror: counts };
    return [head, '', ...comparisonText(compared).trimEnd().split('\n')];
  }
  if (counts !== null)
    return [
      head,
      `  ${accountsText(counts)}`,
      mirror.isSink ? `  ${keptText(counts)}` : `  ${pairsText(counts, to)}`,
    ];
  const [by, less] = [slower.percentileUs(50), faster.percentileUs(50)];
  return [
    head,
    `  ${to} was slower in ${countText(slower.count)} pairs, by ${durationText(by)} in the middle, ` +
      `and faster in ${countText(faster.count)}, by ${durationText(less)}`,
  ];
}
