/** One frame of `umbra top`: lines that fit a terminal's width and height. Pure. */
import { dropReasons, failureReasons } from '../errors.js';
import { total } from '../record/snapshot.js';
import { errorsOf } from './errors-of.js';
import { countText, durationText, shareText, spanText } from './figures.js';
import { isBaseline, type Reading, restarts } from './reading.js';
import { keptText, lagText, shortTarget } from './sink-text.js';

export interface TopFrame {
  /** The current reading. */
  readonly now: Reading;
  /** What happened in the window that rates and percentiles cover. */
  readonly window: Reading;
  readonly source: string;
  /** Lines of a fleet: a head and one line for each instance. */
  readonly instances?: readonly string[];
}

/** Narrower terminals truncate the lines. */
export const TOP_COLUMNS = 80;
const nameWidth = 20;

/**
 * `topLines` returns at most `rows` lines of at most `columns` characters. The last one counts the lines that
 * did not fit.
 */
export function topLines(
  { now, window, source, instances = [] }: TopFrame,
  columns: number,
  rows: number,
): string[] {
  const perSecond = (count: number): string => rate(count / Math.max(window.uptimeS, 0.001));
  const lines = [
    `umbra ${source}  up ${spanText(now.uptimeS)}  generation ${now.generation}  ${now.engine}`,
    threadsLine(now),
    ...planLines(now),
    ...liveLines(now),
    ...(instances.length === 0 ? [] : ['', ...instances]),
    '',
    `${cell('VERSION', nameWidth)}${heads(['REQ/S', 'ERRORS', 'P50', 'P90', 'P99', 'MAX'])}`,
    ...window.versions.map(({ name, role, counts }) => {
      const { hits, count } = errorsOf(counts);
      const { latency } = counts;
      const time = (p: number): string => (latency.count === 0 ? '-' : durationText(latency.percentileUs(p)));
      const max = latency.count === 0 ? '-' : durationText(latency.maxUs);
      const errors = count === 0 ? '-' : shareText(hits / count);
      return `${cell(`${name} ${role}`, nameWidth)}${heads([perSecond(counts.requests), errors, time(50), time(90), time(99), max])}`;
    }),
    '',
    `${cell('MIRROR', nameWidth)}${heads(['SHARE', 'SENT/S', 'DROP/S', 'FAIL/S', 'FLIGHT', 'DIFFER'])}`,
    ...window.mirrors.flatMap((mirror, i) => {
      if (isBaseline(mirror)) return [];
      const { route, to, isSink, enabled, percent, counts } = mirror;
      const differ = counts.paired === 0 ? '-' : shareText(counts.different / counts.paired);
      const figures = [
        enabled ? `${percent} %` : 'off',
        perSecond(counts.sent),
        perSecond(total(counts.dropped)),
        perSecond(total(counts.failed)),
        countText(counts.inFlight),
        differ,
      ];
      const since = now.mirrors[i]?.counts ?? counts;
      const lost = [
        ...reasons('dropped', dropReasons, since.dropped),
        ...reasons('failed', failureReasons, since.failed),
      ];
      return [
        `${cell(`${route} > ${isSink ? shortTarget(to) : to}`, nameWidth)}${heads(figures)}`,
        ...(isSink ? [`  ${keptText(since)}, ${to}`] : since.lag < 0 ? [] : [`  ${lagText(since.lag)}`]),
        ...(lost.length === 0 ? [] : [`  since the start: ${lost.join(', ')}`]),
      ];
    }),
  ];
  const shown =
    lines.length > rows
      ? [...lines.slice(0, Math.max(0, rows - 1)), `(${lines.length - rows + 1} more lines)`]
      : lines;
  return shown.slice(0, rows).map((line) => [...printable(line)].slice(0, columns).join('').trimEnd());
}

function threadsLine(now: Reading): string {
  const of = (kind: string): number => now.threads.filter((thread) => thread.kind === kind).length;
  const rings = now.rings.reduce((sum, { usedBytes }) => sum + usedBytes, 0);
  return `threads ${of('proxy')} proxy, ${of('shadow')} shadow, ${restarts(now)} restarts  rings ${countText(rings)} bytes waiting`;
}

/** `planLines` describes a plan that comes from a bucket. */
function planLines({ control }: Reading): string[] {
  const { plan } = control.fleet;
  if (plan === null) return [];
  const { source, revision, refused, connected } = plan;
  return [
    `plan ${source}  revision ${revision}${connected ? '' : ', NATS is down'}`,
    ...(refused === null
      ? []
      : [`  revision ${refused.revision} refused: ${(refused.problems[0] ?? '').replace(`${source}:`, '')}`]),
  ];
}

/** `liveLines` says that something differs from the configuration. */
function liveLines({ control }: Reading): string[] {
  const { allMirrors, mirrors, weights, kept } = control.live;
  const parts = [
    ...(allMirrors > 0 ? ['all mirrors switched'] : []),
    ...(mirrors > 0 ? [`${mirrors} ${mirrors === 1 ? 'mirror' : 'mirrors'}`] : []),
    ...(weights > 0 ? [`weights of ${weights} ${weights === 1 ? 'route' : 'routes'}`] : []),
  ];
  if (parts.length === 0) return [];
  return [`live changes: ${parts.join(', ')}${kept ? '' : ', NOT KEPT'} (umbra status)`];
}

function reasons(word: string, names: readonly string[], counts: readonly number[]): string[] {
  return counts.flatMap((count, i) => (count > 0 ? [`${word} ${names[i]} ${countText(count)}`] : []));
}

function heads(cells: readonly string[]): string {
  return cells.map((text) => text.padStart(10)).join('');
}

function cell(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width);
}

function rate(perSecond: number): string {
  return perSecond < 10 ? perSecond.toFixed(1) : countText(perSecond);
}

function printable(line: string): string {
  return line.replace(/\p{Cc}|\p{Cf}/gu, '?');
}
