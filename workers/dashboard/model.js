/** What the page knows: the points of the last quarter of an hour and the newest snapshot. Draws nothing. */

const pointsMax = 900;
/** Versions and mirrors of all points together: with many of them, fewer points are kept. */
const partsMax = 90_000;

/** Percentiles that a plot is drawn through, as 1 / (1 - p): evenly spaced on a log axis, 0 % to 99.999 %. */
const plotStep = 0.04;
const plotEnd = 5;

export class Model {
  points = [];
  snapshot = null;

  /** Takes points of any order; those that are known already are left out. */
  addHistory(points) {
    const known = new Set(this.points.map((point) => point.atMs));
    this.points.push(...points.filter((point) => !known.has(point.atMs)));
    this.points.sort((a, b) => a.atMs - b.atMs);
    this.#trim();
  }

  add(snapshot) {
    this.snapshot = snapshot;
    this.addHistory([snapshot.live]);
  }

  /** The points of the last `seconds`, counted from the newest. */
  last(seconds) {
    const newest = this.points[this.points.length - 1];
    if (newest === undefined) return [];
    return this.points.filter((point) => point.atMs > newest.atMs - seconds * 1000);
  }

  #trim() {
    const newest = this.points[this.points.length - 1];
    if (newest === undefined) return;
    const parts = newest.versions.length + newest.mirrors.length + 1;
    const most = Math.max(60, Math.min(pointsMax, Math.floor(partsMax / parts)));
    if (this.points.length > most) this.points.splice(0, this.points.length - most);
  }
}

/** One name for a version in a role. */
export function seriesKey({ name, role }) {
  return `${role}\n${name}`;
}

/** One name for a mirror. */
export function mirrorKey({ route, to }) {
  return `${route}\n${to}`;
}

const indexes = new WeakMap();

/** The versions and mirrors of a point by their keys, made once: 100 routes need thousands of look-ups. */
function indexOf(point) {
  let index = indexes.get(point);
  if (index === undefined) {
    index = {
      versions: new Map(point.versions.map((one) => [seriesKey(one), one])),
      mirrors: new Map(point.mirrors.map((one) => [mirrorKey(one), one])),
    };
    indexes.set(point, index);
  }
  return index;
}

/** The version of a point; undefined where the point has none. */
export function versionAt(point, key) {
  return indexOf(point).versions.get(key);
}

/**
 * Means over points; null where no point has the version. `latencies` adds up those of all points when
 * it is first read.
 */
export function versionOver(points, key) {
  const sum = { seconds: 0, rate: 0, ended: 0, errors: 0 };
  let last = null;
  for (const point of points) {
    const version = versionAt(point, key);
    if (version === undefined) continue;
    last = version;
    sum.seconds += point.seconds;
    sum.rate += version.rate * point.seconds;
    sum.ended += version.ended * point.seconds;
    sum.errors += version.errors * point.seconds;
  }
  if (last === null) return null;
  let latencies = null;
  return {
    rate: sum.seconds > 0 ? sum.rate / sum.seconds : 0,
    ended: sum.seconds > 0 ? sum.ended / sum.seconds : 0,
    /** How many answers the share of errors is of. */
    answers: sum.ended,
    errorShare: sum.ended > 0 ? sum.errors / sum.ended : 0,
    inFlight: last.inFlight,
    get latencies() {
      latencies ??= latenciesOver(points, key);
      return latencies;
    },
  };
}

/** The latencies of all points together. */
export function latenciesOver(points, key) {
  const buckets = new Map();
  for (const point of points) {
    const version = versionAt(point, key);
    if (version !== undefined) addBuckets(buckets, version.buckets);
  }
  return new Latencies(buckets);
}

/** The same for a mirror. */
export function mirrorOver(points, route, to) {
  let seconds = 0;
  const sum = { eligible: 0, sent: 0, completed: 0 };
  const dropped = new Map();
  const failed = new Map();
  let last = null;
  for (const point of points) {
    const mirror = indexOf(point).mirrors.get(mirrorKey({ route, to }));
    if (mirror === undefined) continue;
    last = mirror;
    seconds += point.seconds;
    for (const name of Object.keys(sum)) sum[name] += mirror[name] * point.seconds;
    addRates(dropped, mirror.dropped, point.seconds);
    addRates(failed, mirror.failed, point.seconds);
  }
  if (last === null) return null;
  const per = (value) => (seconds > 0 ? value / seconds : 0);
  return {
    primary: last.primary,
    eligible: per(sum.eligible),
    sent: per(sum.sent),
    completed: per(sum.completed),
    dropped: ranked(dropped, seconds),
    failed: ranked(failed, seconds),
    inFlight: last.inFlight,
  };
}

/** Counts of latencies in steps of 3 %, from which percentiles are computed. */
export class Latencies {
  constructor(buckets) {
    this.steps = [...buckets].sort((a, b) => a[0] - b[0]);
    this.count = this.steps.reduce((sum, [, count]) => sum + count, 0);
  }

  /** Microseconds; null when there is none. `p` from 0 to 1. */
  percentile(p) {
    if (this.count === 0) return null;
    const rank = Math.max(1, Math.ceil(p * this.count - 1e-9));
    let seen = 0;
    for (const [us, count] of this.steps) {
      seen += count;
      if (seen >= rank) return us;
    }
    return this.steps[this.steps.length - 1][0];
  }

  /** Microseconds at each of `plotPositions()`, null beyond what so many values can show. */
  plot(positions) {
    const values = [];
    let step = 0;
    let seen = this.steps[0]?.[1] ?? 0;
    const end = Math.log10(this.count) + plotStep;
    for (const position of positions) {
      if (this.count === 0 || position > end) {
        values.push(null);
        continue;
      }
      const rank = Math.max(1, Math.ceil((1 - 10 ** -position) * this.count - 1e-9));
      while (seen < rank) seen += this.steps[++step][1];
      values.push(this.steps[step][0]);
    }
    return values;
  }
}

/** 0 is the 0th percentile, 1 the 90th, 2 the 99th, 3 the 99.9th. */
export function plotPositions() {
  return Array.from({ length: Math.round(plotEnd / plotStep) + 1 }, (_, i) => i * plotStep);
}

function addBuckets(into, pairs) {
  for (let i = 0; i < pairs.length; i += 2) into.set(pairs[i], (into.get(pairs[i]) ?? 0) + pairs[i + 1]);
}

function addRates(into, rates, seconds) {
  for (const [reason, rate] of Object.entries(rates))
    into.set(reason, (into.get(reason) ?? 0) + rate * seconds);
}

/** Reasons with their rates, the largest first. */
function ranked(sums, seconds) {
  return [...sums].map(([reason, sum]) => ({ reason, rate: sum / seconds })).sort((a, b) => b.rate - a.rate);
}
