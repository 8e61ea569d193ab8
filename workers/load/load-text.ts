/** The output of `umbra load`: a bar while it runs, and a table at the end. Pure. */
import { inBinaryUnit } from '../../core/report/figures.js';
import { histogramFigures } from '../../core/report/table-stats.js';
import type { LoadFigures, LoadOptions } from './drive.js';

const barCells = 24;
const nameWidth = 10;
const columnWidth = 12;
const percentiles: readonly (readonly [name: string, percentile: number])[] = [
  ['p50', 50],
  ['p90', 90],
  ['p99', 99],
  ['p99.9', 99.9],
];

/** `barText` returns one line without its end. */
export function barText(passedMs: number, durationMs: number, answers: number): string {
  const share = Math.min(1, passedMs / durationMs);
  const full = Math.round(share * barCells);
  const leftS = Math.ceil(Math.max(0, durationMs - passedMs) / 1000);
  return `[${'='.repeat(full)}${' '.repeat(barCells - full)}] ${leftS} s left, ${answers} answers`;
}

export function loadText(figures: LoadFigures, url: string, rate: number | null): string {
  const { latency, durationMs, connections, grpcStatuses } = figures;
  const seconds = durationMs / 1000;
  const manner = rate === null ? 'as fast as responses arrive' : `${rate} requests/s`;
  const since =
    rate === null
      ? 'from sending a request to the end of its answer; the next one waits for it'
      : 'from the moment a request was due, so waiting for a slow answer before it counts';
  return [
    `${url}  ${connections} connection${connections === 1 ? '' : 's'}, ${manner}, ${seconds.toFixed(1)} s`,
    '',
    row('answers', String(latency.count), `${(latency.count / seconds).toFixed(1)}/s`),
    row('received', sizeText(figures.receivedBytes), `${sizeText(figures.receivedBytes / seconds)}/s`),
    row(grpcStatuses === null ? 'non-2xx' : 'non-OK', String(figures.notSuccessful)),
    ...(grpcStatuses === null ? [] : [`  ${'statuses'.padEnd(nameWidth)}  ${countsText(grpcStatuses)}`]),
    row('errors', String(figures.errors), errorsText(figures)),
    '',
    row('', ...percentiles.map(([name]) => name), 'max'),
    row('latency', ...percentiles.map(([, p]) => ms(latency.percentileUs(p))), ms(latency.maxUs)),
    `  ${since}`,
    '',
  ].join('\n');
}

/** `loadJson` returns the same figures for programs: times in microseconds, sizes in bytes. */
export function loadJson(figures: LoadFigures, { url, rate }: Pick<LoadOptions, 'url' | 'rate'>): object {
  const { latency, durationMs, connections, receivedBytes, notSuccessful, errors, timeouts, gaveUp } =
    figures;
  const { failures, grpcStatuses } = figures;
  return {
    url,
    rate,
    connections,
    durationS: durationMs / 1000,
    answers: latency.count,
    answersPerS: latency.count / (durationMs / 1000),
    receivedBytes,
    notSuccessful,
    errors,
    timeouts,
    ...(failures === null ? {} : { failures }),
    ...(grpcStatuses === null ? {} : { grpcStatuses }),
    gaveUp,
    latencyUs: histogramFigures(latency),
  };
}

function errorsText({ failures, timeouts }: LoadFigures): string {
  if (failures !== null) return countsText(failures);
  return timeouts > 0 ? `${timeouts} timeouts` : '';
}

function countsText(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}

function row(name: string, ...cells: readonly string[]): string {
  return `  ${name.padEnd(nameWidth)}${cells.map((cell) => cell.padStart(columnWidth)).join('')}`.trimEnd();
}

function ms(us: number): string {
  return `${(us / 1000).toFixed(2)} ms`;
}

function sizeText(bytes: number): string {
  const { value, unit } = inBinaryUnit(bytes);
  return `${value.toFixed(unit === 'B' ? 0 : 1)} ${unit}`;
}
