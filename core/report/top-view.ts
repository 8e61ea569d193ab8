/** One frame of `umbra top`: lines that fit a terminal's width and height. Pure. */
import { dropReasons, failureReasons } from '../errors.js';
import { signedPercentileUs } from '../record/histogram.js';
import { total } from '../record/snapshot.js';
import { errorsOf } from './errors-of.js';
import { countText, durationText, shareText, spanText } from './figures.js';
import { isBaseline, type Reading, restarts } from './reading.js';
import { keptText, lagText, shortTarget } from './sink-text.js';
import {
  type Line,
  renderLine,
  type Span,
  span,
  type Tone,
  type TopRow,
  tableLines,
  wrapped,
} from './top-table.js';

export interface TopFrame {
  /** The current reading. */
  readonly now: Reading;
  /** What happened in the window that rates and percentiles cover. */
  readonly window: Reading;
  readonly source: string;
  /** Lines of a fleet: a head and one line for each instance. */
  readonly instances?: readonly string[];
  /** A line for each rollout that is not over. */
  readonly rollouts?: readonly string[];
}

/** The width where there is no terminal. */
export const TOP_COLUMNS = 80;

/** Orders of versions and mirrors: that of the configuration, or by a figure, the largest first. */
const topSorts = ['order', 'rate', 'errors', 'p99', 'name'] as const;
export type TopSort = (typeof topSorts)[number];

export interface TopLook {
  readonly sort: TopSort;
  /** Only versions and mirrors that lose or fail something. */
  readonly isTroubleOnly: boolean;
  readonly isColoured: boolean;
  /** The last line says which keys there are. */
  readonly isHelpful: boolean;
}

export const plainLook: TopLook = {
  sort: 'order',
  isTroubleOnly: false,
  isColoured: false,
  isHelpful: false,
};

/**
 * `topLines` returns at most `rows` lines of at most `columns` characters, colours apart. Names are never cut
 * off. Where lines do not fit, one says how many.
 */
export function topLines(
  frame: TopFrame,
  columns: number,
  rows: number,
  look: TopLook = plainLook,
): string[] {
  const { now, window, source, instances = [], rollouts = [] } = frame;
  const text = (words: string, tone: Tone = 'plain'): Line[] => wrapped([span(words, tone)], columns);
  const help = look.isHelpful ? text(helpText(look), 'dim') : [];
  const lines: Line[] = [
    ...text(
      `umbra ${source}  up ${spanText(now.uptimeS)}  generation ${now.generation}  ${now.engine}`,
      'head',
    ),
    ...text(threadsLine(now)),
    ...planLines(now).flatMap((line) => text(line)),
    ...liveLines(now).flatMap((line) => text(line, 'warn')),
    ...rollouts.flatMap((line) => text(line, 'warn')),
    ...(instances.length === 0 ? [] : [[], ...instances.flatMap((line) => text(line))]),
    [],
    ...tableLines(
      ['VERSION', 'REQ/S', 'ERRORS', 'P50', 'P90', 'P99', 'MAX'],
      versionRows(window, look),
      columns,
    ),
    [],
    ...tableLines(
      ['MIRROR', 'SHARE', 'SENT/S', 'DROP/S', 'FAIL/S', 'FLIGHT', 'DIFFER'],
      mirrorRows(now, window, look),
      columns,
    ),
    ...endpointLines(now, look, columns),
  ];
  const room = Math.max(0, rows - help.length);
  const shown =
    lines.length > room
      ? [
          ...lines.slice(0, Math.max(0, room - 1)),
          ...text(`(${lines.length - room + 1} more lines)`, 'dim').slice(0, 1),
        ]
      : lines;
  return [...shown, ...help].slice(0, rows).map((line) => renderLine(line, look.isColoured));
}

function helpText({ sort, isTroubleOnly }: TopLook): string {
  const keys = 'q quit  o order  r rate  e errors  p p99  n name  t trouble';
  return `${keys}  (now: ${sort}${isTroubleOnly ? ', trouble' : ''})`;
}

/** A row with what it is sorted by. */
interface Sorted extends TopRow {
  readonly rate: number;
  readonly errors: number;
  readonly p99: number;
  readonly isTroubled: boolean;
}

function arranged(rows: readonly Sorted[], { sort, isTroubleOnly }: TopLook): readonly Sorted[] {
  const shown = isTroubleOnly ? rows.filter(({ isTroubled }) => isTroubled) : rows;
  if (sort === 'order') return shown;
  if (sort === 'name') return shown.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return shown.toSorted((a, b) => b[sort] - a[sort]);
}

function perSecond(count: number, { uptimeS }: Reading): number {
  return count / Math.max(uptimeS, 0.001);
}

function versionRows(window: Reading, look: TopLook): readonly Sorted[] {
  const rows = window.versions.map(({ name, role, counts }) => {
    const { hits, count } = errorsOf(counts);
    const { latency, ejected } = counts;
    const time = (us: number): Span => span(latency.count === 0 ? '-' : durationText(us));
    const share = count === 0 ? 0 : hits / count;
    const rate = perSecond(counts.requests, window);
    return {
      name: `${name} ${role}`,
      cells: [
        span(rateText(rate)),
        span(count === 0 ? '-' : shareText(share), hits > 0 ? 'bad' : 'plain'),
        ...[50, 90, 99].map((p) => time(latency.percentileUs(p))),
        time(latency.maxUs),
      ],
      below: ejected > 0 ? [[span(`${countText(ejected)} ejected now, over all threads`, 'bad')]] : [],
      rate,
      errors: share,
      p99: latency.count === 0 ? 0 : latency.percentileUs(99),
      isTroubled: hits > 0 || ejected > 0,
    };
  });
  return arranged(rows, look);
}

function mirrorRows(now: Reading, window: Reading, look: TopLook): readonly Sorted[] {
  const rows = window.mirrors.flatMap((mirror, i) => {
    if (isBaseline(mirror)) return [];
    const { route, to, isSink, enabled, percent, heldBackPercent, counts } = mirror;
    const [dropped, failed] = [total(counts.dropped), total(counts.failed)];
    const since = now.mirrors[i]?.counts ?? counts;
    const lost = [
      ...reasons('dropped', dropReasons, since.dropped),
      ...reasons('failed', failureReasons, since.failed),
    ];
    const { breakersOpen } = since;
    const rate = perSecond(counts.sent, window);
    return {
      name: `${route} > ${isSink ? shortTarget(to) : to}`,
      cells: [
        enabled ? span(`${percent} %`) : span('off', 'dim'),
        span(rateText(rate)),
        span(rateText(perSecond(dropped, window)), dropped > 0 ? 'warn' : 'plain'),
        span(rateText(perSecond(failed, window)), failed > 0 ? 'bad' : 'plain'),
        span(countText(counts.inFlight)),
        span(counts.paired === 0 ? '-' : shareText(counts.different / counts.paired)),
      ],
      below: [
        ...(isSink
          ? [[span(`${keptText(since)}, ${to}`)]]
          : since.lag < 0
            ? []
            : [[span(lagText(since.lag))]]),
        ...(breakersOpen > 0 ? [[span(`breaker open on ${countText(breakersOpen)} threads`, 'bad')]] : []),
        ...(heldBackPercent > 0 ? [[span(`the guard holds back ${heldBackPercent} %`, 'bad')]] : []),
        ...(lost.length === 0 ? [] : [[span(`since the start: ${lost.join(', ')}`, 'dim')]]),
      ],
      rate,
      errors: counts.eligible === 0 ? 0 : (dropped + failed) / counts.eligible,
      p99: signedPercentileUs(counts.deltaFaster, counts.deltaSlower, 99),
      isTroubled: dropped + failed + breakersOpen + heldBackPercent > 0,
    };
  });
  return arranged(rows, look);
}

function endpointLines(now: Reading, { isTroubleOnly }: TopLook, columns: number): Line[] {
  const shown = isTroubleOnly
    ? now.endpoints.filter(({ health }) => health?.state === 'unhealthy')
    : now.endpoints;
  if (shown.length === 0) return [];
  const rows = shown.map(({ version, endpoint, address, health }) => ({
    name: `${version} ${endpoint}${address === endpoint ? '' : ` at ${address}`}`,
    cells: [
      span(health?.state ?? 'unchecked', health?.state === 'unhealthy' ? 'bad' : 'plain'),
      span(health === null || health.sinceS === 0 ? '-' : spanText(Math.round(health.sinceS))),
      span(health === null ? '-' : countText(health.failed)),
    ],
    below: [],
  }));
  return [[], ...tableLines(['ENDPOINT', 'HEALTH', 'FOR', 'FAILED'], rows, columns)];
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

function rateText(perSecond: number): string {
  return perSecond < 10 ? perSecond.toFixed(1) : countText(perSecond);
}
