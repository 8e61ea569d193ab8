/** Latencies of all versions over each other: by percentile, and one percentile over time. */
import { colour, cssValue } from './colours.js';
import { duration } from './format.js';
import { Latencies, latenciesOver, plotPositions, seriesKey, versionOver } from './model.js';
import uPlot from './uplot.js';

const chartHeight = 260;
/** How many points a line over time has at most; each stands for an equal part of the span. */
const timePoints = 90;

/**
 * Both axes of latency are logarithmic by hand: the lines are drawn through the logarithms, and the ticks say
 * the values.
 */
const log = (us) => (us === null ? null : Math.log10(Math.max(1, us)));
/** More lines than this are hard to distinguish. */
const seriesMost = 8;
const dashes = { shadow: [6, 4], baseline: [2, 4] };
const tickSteps = [1, 2, 5];
const gapPx = 28;

export class LatencyCharts {
  #model;
  #places;
  #plots = null;
  #drawn = '';
  #view = null;
  #chosen = { route: null, keys: [] };
  /** How many versions are not drawn. */
  left = 0;
  seconds = 60;
  p = 0.99;

  constructor(byPercentile, overTime, model) {
    this.#places = { byPercentile, overTime };
    this.#model = model;
    const again = () => this.#rebuild();
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', again);
    new ResizeObserver(() => this.#resize()).observe(byPercentile);
  }

  /** Draws the versions of `view`, or those of the last one. */
  draw(view = this.#view) {
    this.#view = view;
    if (view === null) return;
    const series = this.#series(view);
    const names = series.map(seriesKey).join('\n\n');
    if (this.#plots === null || names !== this.#drawn) this.#build(series, names);
    const points = this.#model.last(this.seconds);
    this.#plots.byPercentile.setData(percentileData(points, series));
    this.#plots.overTime.setData(timeData(points, series, this.seconds, this.p));
  }

  /**
   * The versions that are drawn. Of many, those with most requests are chosen, and kept while they are there,
   * so that lines do not come and go.
   */
  #series({ series, route }) {
    const known = new Map(series.map((one) => [seriesKey(one), one]));
    const isSame = this.#chosen.route === route && this.#chosen.keys.every((key) => known.has(key));
    if (!isSame || this.#chosen.keys.length < Math.min(seriesMost, series.length)) {
      const busiest = series.toSorted((a, b) => (b.recent?.rate ?? 0) - (a.recent?.rate ?? 0));
      const keys = new Set(busiest.slice(0, seriesMost).map(seriesKey));
      this.#chosen = { route, keys: series.map(seriesKey).filter((key) => keys.has(key)) };
    }
    this.left = series.length - this.#chosen.keys.length;
    return this.#chosen.keys.map((key) => known.get(key));
  }

  recolour() {
    this.#drawn = '';
  }

  #rebuild() {
    this.#drawn = '';
    this.draw();
  }

  #build(series, names) {
    this.#plots?.byPercentile.destroy();
    this.#plots?.overTime.destroy();
    const { byPercentile, overTime } = this.#places;
    this.#plots = {
      byPercentile: new uPlot(
        percentileOptions(series, byPercentile.clientWidth),
        [[0], ...series.map(() => [null])],
        byPercentile,
      ),
      overTime: new uPlot(
        timeOptions(series, overTime.clientWidth),
        [[0], ...series.map(() => [null])],
        overTime,
      ),
    };
    this.#drawn = names;
  }

  #resize() {
    if (this.#plots === null) return;
    for (const [name, plot] of Object.entries(this.#plots)) {
      plot.setSize({ width: this.#places[name].clientWidth, height: chartHeight });
    }
  }
}

function percentileData(points, series) {
  const positions = plotPositions();
  const lines = series.map((one) => {
    const over = versionOver(points, seriesKey(one));
    return (over?.latencies ?? new Latencies(new Map())).plot(positions).map(log);
  });
  // The axis ends where the longest line does.
  const end = Math.max(26, ...lines.map((line) => line.findLastIndex((value) => value !== null) + 1));
  return [positions.slice(0, end), ...lines.map((line) => line.slice(0, end))];
}

function timeData(points, series, seconds, p) {
  if (points.length === 0) return [[0], ...series.map(() => [null])];
  const partMs = Math.max(1000, (seconds * 1000) / timePoints);
  const parts = new Map();
  for (const point of points) {
    const part = Math.floor(point.atMs / partMs);
    if (!parts.has(part)) parts.set(part, []);
    parts.get(part).push(point);
  }
  const first = Math.floor(points[0].atMs / partMs);
  const last = Math.floor(points[points.length - 1].atMs / partMs);
  const times = [];
  const lines = series.map(() => []);
  for (let part = first; part <= last; part++) {
    times.push((part * partMs) / 1000);
    series.forEach((one, i) => {
      lines[i].push(log(latenciesOver(parts.get(part) ?? [], seriesKey(one)).percentile(p)));
    });
  }
  return [times, ...lines];
}

function percentileOptions(series, width) {
  return {
    ...common(series, width, percentileLabel),
    scales: {
      x: { time: false, range: (_, min, max) => [min, Math.max(max, 1)] },
      y: { range: latencyRange },
    },
    axes: [
      axis({ splits: percentileSplits, values: (_, splits) => splits.map(percentileLabel), space: 44 }),
      latencyAxis(),
    ],
  };
}

function timeOptions(series, width) {
  return {
    ...common(series, width, (value) => new Date(value * 1000).toLocaleTimeString([], { hour12: false })),
    scales: { x: { time: true }, y: { range: latencyRange } },
    axes: [axis({ values: (_, splits) => splits.map(clockLabel), space: 84 }), latencyAxis()],
  };
}

function common(series, width, xLabel) {
  return {
    width: Math.max(200, width),
    height: chartHeight,
    cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
    legend: { live: true, markers: { dash: (plot, i) => (plot.series[i].dash ? 'dashed' : 'solid') } },
    padding: [12, 12, 0, 0],
    series: [
      { label: '', value: (_, value) => (value === null || value === undefined ? '' : xLabel(value)) },
      ...series.map((one) => ({
        label: `${one.name} ${one.title}`,
        stroke: colour(one),
        width: 2,
        dash: dashes[one.title],
        points: { show: false },
        spanGaps: true,
        value: (_, value) => (value === null || value === undefined ? '' : duration(10 ** value)),
      })),
    ],
  };
}

function axis(more) {
  return {
    stroke: cssValue('--muted'),
    font: '12px system-ui, sans-serif',
    grid: { stroke: cssValue('--line'), width: 1 },
    ticks: { show: false },
    ...more,
  };
}

function latencyAxis() {
  return axis({
    splits: latencySplits,
    values: (_, splits) => splits.map((value) => duration(10 ** value)),
    size: 66,
  });
}

function latencyRange(_, min, max) {
  if (min === null || max === null) return [2, 5];
  const room = Math.max(0.08, (max - min) * 0.08);
  return [Math.max(0, min - room), max + room];
}

/**
 * 1, 2 and 5 of every power of ten, or more where the range is narrow, or fewer where there is no room for
 * them.
 */
function latencySplits(plot, _axis, min, max) {
  const room = Math.max(2, Math.floor((plot.bbox?.height || chartHeight) / devicePixelRatio / gapPx));
  for (const steps of [[1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8], [1, 1.5, 2, 3, 5, 7], tickSteps, [1]]) {
    const splits = [];
    for (let power = Math.floor(min); power <= Math.ceil(max); power++) {
      for (const step of steps) {
        const at = power + Math.log10(step);
        if (at >= min && at <= max) splits.push(at);
      }
    }
    if (splits.length <= room) return splits;
  }
  return [min, max];
}

function percentileSplits(plot, _axis, min, max) {
  // On a phone the first two would stand on each other.
  const first = plot.width < 480 ? [] : [0];
  return [...first, Math.log10(2), 1, 2, 3, 4, 5].filter((at) => at >= min && at <= max);
}

function percentileLabel(position) {
  if (position === 0) return '0 %';
  const digits = Math.max(0, Math.floor(position + 1e-9) - 2);
  const value = (1 - 10 ** -position) * 100;
  return position < 1 ? `${Math.round(value)} %` : `${value.toFixed(digits)} %`;
}

function clockLabel(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour12: false });
}
