/**
 * The way of requests as a graph: clients, umbra, versions; how much goes where, and what falls off on the
 * way.
 */
import { colourClass } from './colours.js';
import { setText, svg } from './dom.js';
import { bytes, count, duration, percent, rate, share, shortTarget } from './format.js';
import { mirrorOver, seriesKey, versionOver } from './model.js';

const recentS = 10;
/** More versions than a picture can hold are in the table below it. */
const versionsShown = 8;
const dropsShown = 3;
/** Distance from the top. */
const roles = ['primary', 'shadow', 'sink'];
const narrowPx = 720;
const edge = { thin: 1.5, more: 11 };

export class Flow {
  #place;
  #model;
  #width = 0;

  constructor(place, model) {
    this.#place = place;
    this.#model = model;
    new ResizeObserver(() => {
      if (place.clientWidth !== this.#width) this.draw();
    }).observe(place);
  }

  draw() {
    this.#width = this.#place.clientWidth;
    const { snapshot } = this.#model;
    if (snapshot === null || this.#width === 0) return;
    const flow = gather(snapshot, this.#model.last(recentS));
    const picture = this.#width < narrowPx ? tall(flow, this.#width) : wide(flow, this.#width);
    this.#place.replaceChildren(picture);
  }
}

/** Everything that the picture shows, in the order in which it shows it. */
function gather(snapshot, points) {
  const versions = snapshot.live.versions
    .map((series) => ({
      series,
      ...versionOver(points, seriesKey(series)),
      ...mirrorsTo(snapshot, points, series),
    }))
    .concat(sinks(snapshot, points))
    .filter(({ series, configured }) => series.role === 'primary' || configured)
    .sort((a, b) => roles.indexOf(a.series.role) - roles.indexOf(b.series.role) || b.rate - a.rate);
  const clients = versions.reduce((sum, { series, rate }) => sum + (series.role === 'primary' ? rate : 0), 0);
  const most = Math.max(1e-9, ...versions.map(({ rate }) => rate), clients);
  return {
    clients,
    connections: snapshot.live.threads.reduce((sum, thread) => sum + thread.connections, 0),
    threads: snapshot.stats.threads,
    versions: versions.slice(0, versionsShown),
    hidden: Math.max(0, versions.length - versionsShown),
    thickness: (value) => (value > 0 ? edge.thin + edge.more * Math.sqrt(value / most) : edge.thin),
  };
}

function mirrorsTo(snapshot, points, { name, role }) {
  if (role === 'primary') return { configured: true, drops: [], mirrors: [], over: [] };
  const mirrors = snapshot.stats.mirrors.filter(({ to }) => to === name);
  const over = mirrors.map(({ route, to }) => mirrorOver(points, route, to)).filter((one) => one !== null);
  const configured = snapshot.live.mirrors.some((mirror) => mirror.to === name && mirror.primary !== null);
  return { configured, mirrors, over, drops: ranked(over.flatMap(({ dropped }) => dropped)) };
}

/** Recordings and streams, drawn as versions are: what they are given, and what of it they lose. */
function sinks(snapshot, points) {
  const names = new Set(snapshot.stats.mirrors.filter(({ sink }) => sink).map(({ to }) => to));
  return [...names].map((name) => {
    const series = { name, role: 'sink' };
    const towards = mirrorsTo(snapshot, points, series);
    const sumOf = (value) => towards.over.reduce((sum, one) => sum + value(one), 0);
    const sent = sumOf((one) => one.sent);
    const failed = sumOf((one) => one.failed.reduce((sum, { rate }) => sum + rate, 0));
    const inFlight = sumOf((one) => one.inFlight);
    return {
      series,
      rate: sent,
      errorShare: sent > 0 ? Math.min(1, failed / sent) : 0,
      inFlight,
      latencies: null,
      ...towards,
    };
  });
}

function ranked(drops) {
  const rates = new Map();
  for (const { reason, rate } of drops) rates.set(reason, (rates.get(reason) ?? 0) + rate);
  return [...rates].map(([reason, value]) => ({ reason, rate: value })).sort((a, b) => b.rate - a.rate);
}

function wide(flow, width) {
  const box = { width: 168, height: 58 };
  const rows = heights(flow.versions, 104, 16);
  const height = Math.max(190, rows.total) + (flow.hidden > 0 ? 24 : 0) + 8;
  const middle = Math.max(190, rows.total) / 2;
  const umbraX = Math.round(width * 0.27);
  const versionX = width - box.width - 1;
  const picture = frame(flow, width, height);
  const fromX = umbraX + box.width;
  picture.append(
    ...line(
      `M${box.width} ${middle} L${umbraX} ${middle}`,
      flow.thickness(flow.clients),
      flow.clients,
      'c-clients',
    ),
  );
  label(picture, (box.width + umbraX) / 2, middle - 14, rate(flow.clients), 'middle strong');
  flow.versions.forEach((version, i) => {
    const y = rows.middles[i];
    const bend = Math.min(120, (versionX - fromX) / 3);
    const path = `M${fromX} ${middle} C${fromX + bend * 0.7} ${middle} ${fromX + bend * 0.3} ${y} ${fromX + bend} ${y} L${versionX} ${y}`;
    picture.append(...line(path, flow.thickness(version.rate), version.rate, edgeClass(version)));
    const labelX = fromX + bend + 14;
    const lift = flow.thickness(version.rate) / 2;
    edgeText(picture, labelX, y - lift - 8, version, versionX - labelX - 10);
    dropsText(picture, fromX + bend - 6, y + lift, version.drops);
  });
  node(
    picture,
    0.5,
    middle - box.height / 2,
    box,
    'clients',
    plural(flow.connections, 'connection'),
    'n-clients',
  );
  node(picture, umbraX, middle - box.height / 2, box, 'umbra', threadsText(flow), 'n-umbra');
  flow.versions.forEach((version, i) => {
    versionNode(picture, versionX, rows.middles[i] - box.height / 2, box, version);
  });
  if (flow.hidden > 0)
    label(picture, width - 1, height - 8, `and ${flow.hidden} more in the table`, 'end muted');
  return picture;
}

function tall(flow, width) {
  const box = { width: width - 1, height: 50 };
  const rail = 22;
  const first = box.height + 44;
  const rows = heights(flow.versions, 116, 16);
  const begin = first + box.height;
  const height = begin + rows.total + 8 + (flow.hidden > 0 ? 24 : 0);
  const picture = frame(flow, width, height);
  picture.append(
    ...line(
      `M${rail} ${box.height} L${rail} ${first}`,
      flow.thickness(flow.clients),
      flow.clients,
      'c-clients',
    ),
  );
  label(picture, rail + 18, box.height + 27, rate(flow.clients), 'strong');
  for (let i = flow.versions.length - 1; i >= 0; i--) {
    const version = flow.versions[i];
    const y = begin + rows.tops[i] + 84;
    const path = `M${rail} ${begin} L${rail} ${y - 22} Q${rail} ${y} ${rail + 22} ${y}`;
    picture.append(...line(path, flow.thickness(version.rate), version.rate, edgeClass(version)));
  }
  node(picture, 0.5, 0.5, box, 'clients', plural(flow.connections, 'connection'), 'n-clients');
  node(picture, 0.5, first, box, 'umbra', threadsText(flow), 'n-umbra');
  flow.versions.forEach((version, i) => {
    const y = begin + rows.tops[i] + 84;
    edgeText(picture, rail + 18, y - box.height / 2 - 10, version, width - rail - 20);
    versionNode(picture, rail + 22, y - box.height / 2, { ...box, width: width - rail - 23 }, version);
    dropsText(picture, rail + 26, y + box.height / 2, version.drops);
  });
  if (flow.hidden > 0) label(picture, 0, height - 8, `and ${flow.hidden} more in the table`, 'muted');
  return picture;
}

/** Where each version's row begins and has its middle: one with drops is taller. */
function heights(versions, base, perDrop) {
  const tops = [];
  const middles = [];
  let total = 0;
  for (const { drops } of versions) {
    tops.push(total);
    middles.push(total + base / 2 + 8);
    total += base + Math.min(drops.length, dropsShown + 1) * perDrop + (drops.length > 0 ? 6 : 0);
  }
  return { tops, middles, total };
}

function frame(flow, width, height) {
  const said = flow.versions.map((version) => {
    const { name, role } = version.series;
    return `${role} ${name}: ${edgeFigures(version)}${version.drops.map((d) => `, drops ${d.reason} ${rate(d.rate)}`).join('')}`;
  });
  return svg('svg', {
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    role: 'img',
    'aria-label': `Clients send ${rate(flow.clients)}. ${said.join('. ')}.`,
  });
}

function line(path, width, value, className) {
  const quiet = value > 0 ? '' : ' quiet';
  const lines = [
    svg('path', { d: path, class: `edge ${className}${quiet}`, 'stroke-width': width.toFixed(2) }),
  ];
  if (value > 0) {
    lines.push(
      svg('path', { d: path, class: 'stream', 'stroke-width': Math.max(1, width * 0.35).toFixed(2) }),
    );
  }
  return lines;
}

function edgeClass({ series }) {
  return `${colourClass(series)} e-${series.role}`;
}

function edgeText(picture, x, y, version, room) {
  const figures = edgeFigures(version);
  const text = label(picture, x, y, '', '');
  text.append(svg('tspan', { class: 'strong' }, rate(version.rate)));
  const bad = version.errorShare > 0;
  text.append(svg('tspan', { class: bad ? 'bad' : 'muted', dx: 8 }, lossText(version)));
  const p99 = version.latencies?.percentile(0.99) ?? null;
  if (p99 !== null && room > 170)
    text.append(svg('tspan', { class: 'muted', dx: 8 }, `p99 ${duration(p99)}`));
  text.append(svg('title', {}, figures));
}

function edgeFigures(version) {
  const p99 = version.latencies?.percentile(0.99) ?? null;
  const parts = [rate(version.rate), lossText(version)];
  if (p99 !== null) parts.push(`p99 ${duration(p99)}`);
  parts.push(`${count(version.inFlight ?? 0)} in flight`);
  return parts.join(', ');
}

function lossText({ series, errorShare }) {
  return `${percent(errorShare)} ${series.role === 'sink' ? 'lost' : 'errors'}`;
}

/** Copies that never arrive fall off the edge, and say why. */
function dropsText(picture, x, y, drops) {
  if (drops.length === 0) return;
  const shown = drops.slice(0, dropsShown);
  const rest = drops.slice(dropsShown).reduce((sum, drop) => sum + drop.rate, 0);
  if (rest > 0) shown.push({ reason: 'other reasons', rate: rest });
  const bottom = y + 8 + shown.length * 16;
  picture.append(svg('path', { d: `M${x} ${y} V${bottom - 4}`, class: 'fall' }));
  shown.forEach((drop, i) => {
    const text = label(picture, x + 12, y + 20 + i * 16, '', 'drop');
    text.append(
      svg('tspan', { class: 'strong' }, rate(drop.rate)),
      svg('tspan', { dx: 6 }, `dropped: ${drop.reason}`),
    );
  });
}

function versionNode(picture, x, y, box, version) {
  const { series, mirrors } = version;
  const on = mirrors.filter((mirror) => mirror.enabled);
  const trouble = mirrors.find(({ kept }) => kept?.trouble)?.kept.trouble;
  const detail =
    series.role === 'primary'
      ? 'primary'
      : trouble !== undefined
        ? `stopped: ${trouble}`
        : mirrors.length === 1
          ? `${kindOf(series)}, ${on.length === 1 ? (keptOf(on[0]) ?? share(on[0].percent)) : 'off'}`
          : `${kindOf(series)}, ${on.length} of ${mirrors.length} mirrors on`;
  const state = trouble === undefined ? '' : ' troubled';
  node(
    picture,
    x,
    y,
    box,
    series.name,
    detail,
    `n-version ${colourClass(series)}${state}`,
    shortTarget(series),
  );
}

function kindOf({ name, role }) {
  if (role !== 'sink') return role;
  return name.startsWith('file:') ? 'recording' : 'stream';
}

/**
 * What of a stream is not taken yet, or how much is recorded; null: nothing that would say more than the
 * share.
 */
function keptOf({ kept }) {
  if (kept?.lag > 0) return `lag ${count(kept.lag)}`;
  return kept?.segments > 0 ? bytes(kept.bytes) : null;
}

function node(picture, x, y, box, name, detail, className, shown = name) {
  const group = svg('g', { class: `node ${className}` });
  group.append(svg('rect', { x, y, width: box.width, height: box.height, rx: 10 }));
  group.append(svg('rect', { x, y: y + 12, width: 3, height: box.height - 24, rx: 1.5, class: 'mark' }));
  const title = label(group, x + 16, y + box.height / 2 - 4, clipped(shown, box.width - 30, 8.4), 'name');
  title.append(svg('title', {}, name));
  label(group, x + 16, y + box.height / 2 + 14, clipped(detail, box.width - 30, 6.4), 'muted small');
  picture.append(group);
}

function label(parent, x, y, text, className) {
  const element = svg('text', { x, y, class: className });
  setText(element, text);
  parent.append(element);
  return element;
}

/** SVG text does not wrap or end by itself. */
function clipped(text, widthPx, charPx) {
  const most = Math.max(3, Math.floor(widthPx / charPx));
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

function threadsText({ threads }) {
  return `${threads.proxy} proxy, ${threads.shadow} shadow`;
}

function plural(n, word) {
  return `${count(n)} ${word}${n === 1 ? '' : 's'}`;
}
