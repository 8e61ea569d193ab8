/**
 * Plots latency by percentile as SVG, with the versions over each other. The horizontal axis is logarithmic
 * in the share above a percentile, so that 99 %, 99.9 % and 99.99 % get equal room. The vertical axis is
 * logarithmic in time. Colours come from the page's style sheet, so that the page
 * decides between dark and light. Pure.
 */
import { highestInSlot } from '../record/hdr-layout.js';
import type { Histogram } from '../record/histogram.js';
import { durationText } from './figures.js';
import { escapeHtml } from './html-escape.js';

export interface PlotLine {
  readonly name: string;
  /** The place of its colour in the palette, `.c0` and so on in the style sheet. */
  readonly place: number;
  readonly dashed: boolean;
  readonly histogram: Histogram;
}

const WIDTH = 900;
const HEIGHT = 380;
const LEFT = 70;
const RIGHT = 16;
const TOP = 12;
const BOTTOM = 36;
/** The maximum number of nines: one request in ten million. */
const DECADES_MAX = 7;
/** Points closer than this, in decades, are merged. */
const STEP = 0.01;

interface Point {
  /** log10(1 / (1 - percentile)). */
  readonly x: number;
  readonly us: number;
}

/** `percentilePlot` returns '' when there is nothing to draw. */
export function percentilePlot(lines: readonly PlotLine[]): string {
  const drawn = lines
    .filter(({ histogram }) => histogram.count > 0)
    .map((line) => ({ ...line, points: pointsOf(line.histogram) }));
  if (drawn.length === 0) return '';
  const all = drawn.flatMap(({ points }) => points);
  const decades = Math.min(DECADES_MAX, Math.max(2, Math.ceil(Math.max(...all.map(({ x }) => x)))));
  const low = Math.floor(Math.log10(Math.max(1, Math.min(...all.map(({ us }) => us)))));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(1, ...all.map(({ us }) => us)))));
  const x = (decade: number): number => LEFT + (decade / decades) * (WIDTH - LEFT - RIGHT);
  const y = (us: number): number =>
    HEIGHT - BOTTOM - ((Math.log10(Math.max(1, us)) - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  const parts = [
    ...verticals(decades, x),
    ...horizontals(low, high, y),
    ...drawn.map(({ points, dashed, place }) => {
      const path = points.map(
        ({ x: decade, us }, n) =>
          `${n === 0 ? 'M' : 'L'}${x(Math.min(decade, decades)).toFixed(1)} ${y(us).toFixed(1)}`,
      );
      return `<path class="line c${place}${dashed ? ' dashed' : ''}" d="${path.join('')}"/>`;
    }),
  ];
  const label = escapeHtml(`Latency by percentile: ${drawn.map(({ name }) => name).join(', ')}`);
  const legend = drawn.map(
    ({ name, dashed, place }) =>
      `<li><svg viewBox="0 0 28 8" class="key" aria-hidden="true"><path class="line c${place}${dashed ? ' dashed' : ''}" d="M0 4H28"/></svg>${escapeHtml(name)}</li>`,
  );
  return (
    `<figure><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">${parts.join('')}</svg>` +
    `<ul class="legend">${legend.join('')}</ul></figure>`
  );
}

function pointsOf(histogram: Histogram): Point[] {
  const points: Point[] = [];
  let seen = 0;
  histogram.forEachSlot((_, count, slot) => {
    const us = Math.min(highestInSlot(slot), histogram.maxUs);
    // All values of a slot are between the percentile before it and the one after it.
    const before = Math.log10(histogram.count / (histogram.count - seen));
    seen += count;
    const left = histogram.count - seen;
    const after = left === 0 ? Math.log10(histogram.count * 2) : Math.log10(histogram.count / left);
    const last = points[points.length - 1];
    if (last === undefined || after - last.x >= STEP || left === 0) {
      if (last === undefined || before > last.x + STEP) points.push({ x: before, us });
      points.push({ x: after, us });
    }
  });
  return points;
}

function verticals(decades: number, x: (decade: number) => number): string[] {
  const marks = [
    { decade: 0, text: '0 %' },
    { decade: Math.log10(2), text: '50 %' },
  ];
  for (let nines = 1; nines <= decades; nines++) {
    marks.push({
      decade: nines,
      text: nines === 1 ? '90 %' : `99${nines > 2 ? '.' : ''}${'9'.repeat(nines - 2)} %`,
    });
  }
  return marks.map(
    ({ decade, text }) =>
      `<line class="grid" x1="${x(decade).toFixed(1)}" x2="${x(decade).toFixed(1)}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/>` +
      `<text class="tick" x="${x(decade).toFixed(1)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="${decade === decades ? 'end' : 'middle'}">${text}</text>`,
  );
}

function horizontals(low: number, high: number, y: (us: number) => number): string[] {
  const values: number[] = [];
  for (let decade = low; decade <= high; decade++) {
    for (const step of high - low <= 3 ? [1, 2, 5] : [1]) {
      if (decade < high || step === 1) values.push(step * 10 ** decade);
    }
  }
  return values.map(
    (us) =>
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(us).toFixed(1)}" y2="${y(us).toFixed(1)}"/>` +
      `<text class="tick" x="${LEFT - 8}" y="${(y(us) + 4).toFixed(1)}" text-anchor="end">${durationText(us).replace(/\.0+ /, ' ')}</text>`,
  );
}
