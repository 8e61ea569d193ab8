/**
 * The way of the requests of one route as a graph: clients, umbra, versions; how much goes where, and what
 * falls off on the way. Several routes are drawn as lanes.
 */
import { colourClass } from './colours.js';
import { svg } from './dom.js';
import { duration, rate, shortTarget } from './format.js';
import { Lanes } from './lanes.js';
import {
  clipped,
  detailOf,
  edgeClass,
  edgeFigures,
  label,
  line,
  lossText,
  node,
  plural,
  thickness,
  threadsText,
} from './picture.js';

/** More versions than a picture can hold are in the table below it. */
const versionsShown = 8;
const dropsShown = 3;
/** How far below the edge of a primary the one of a baseline runs. */
const againPx = 16;
/** The most primaries that are drawn while there are shadows that would not fit. */
const primariesShown = 4;
/** Distance from the top. */
const roles = ['primary', 'shadow', 'sink'];
const narrowPx = 720;

export class Flow {
  #place;
  #view = null;
  #width = 0;
  #lanes = new Lanes();

  constructor(place) {
    this.#place = place;
    // The width is remembered: reading it while the page is drawn would make the browser lay it out at once.
    new ResizeObserver(([{ contentRect }]) => {
      const width = Math.floor(contentRect.width);
      if (width === this.#width) return;
      this.#width = width;
      this.draw(this.#view);
    }).observe(place);
  }

  draw(view) {
    this.#view = view;
    if (view === null || this.#width === 0) return;
    const isNarrow = this.#width < narrowPx;
    if (view.routes.length > 1) {
      this.#place.replaceChildren(this.#lanes.draw(view, this.#width, isNarrow));
      return;
    }
    const flow = gather(view);
    this.#place.replaceChildren(isNarrow ? tall(flow, this.#width) : wide(flow, this.#width));
  }
}

/** Everything that the picture shows, in the order in which it shows it. */
function gather(view) {
  const { snapshot } = view;
  const versions = view.series
    .map((series) => ({ ...towards(view, series), series }))
    .concat(sinks(view))
    .filter(({ series, mirrors }) => series.role === 'primary' || mirrors.length > 0)
    .sort((a, b) => roles.indexOf(a.series.role) - roles.indexOf(b.series.role) || b.rate - a.rate);
  const clients = versions.reduce((sum, { series, rate }) => sum + (series.role === 'primary' ? rate : 0), 0);
  const most = Math.max(1e-9, ...versions.map(({ rate }) => rate), clients);
  return {
    clients,
    connections: snapshot.live.threads.reduce((sum, thread) => sum + thread.connections, 0),
    threads: snapshot.stats.threads,
    versions: chosen(versions),
    hidden: Math.max(0, versions.length - versionsShown),
    thickness: (value) => thickness(value, most),
  };
}

/** `chosen` selects what is drawn of many versions: the dead, and shadows before the last primaries. */
function chosen(versions) {
  if (versions.length <= versionsShown) return versions;
  const isPrimary = ({ series }) => series.role === 'primary';
  const others = versions
    .filter((one) => !isPrimary(one))
    .sort((a, b) => Number(b.isDead) - Number(a.isDead));
  const primaries = versions
    .filter(isPrimary)
    .slice(0, Math.max(primariesShown, versionsShown - others.length));
  const kept = new Set([...primaries, ...others.slice(0, versionsShown - primaries.length)]);
  return versions.filter((one) => kept.has(one));
}

/** A version with the mirrors that lead to it, and what falls off on the way. */
function towards({ mirrors: all }, { name, role, recent }) {
  const mirrors = role === 'primary' ? [] : all.filter(({ to }) => to === name);
  const worst = mirrors.find(({ state }) => state.level === 'dead');
  return {
    mirrors,
    rate: recent?.rate ?? 0,
    errorShare: recent?.errorShare ?? 0,
    inFlight: recent?.inFlight ?? 0,
    latencies: recent?.latencies ?? null,
    drops: ranked(mirrors.flatMap(({ recent: one }) => one?.dropped ?? [])),
    isDead: worst !== undefined,
    trouble: worst === undefined ? stopped(mirrors) : worst.state.text,
    again: role === 'primary' ? baselineRate(all, name) : 0,
  };
}

function stopped(mirrors) {
  const reason = mirrors.find(({ kept }) => kept?.trouble)?.kept.trouble;
  return reason === undefined ? null : `stopped: ${reason}`;
}

/** How often the primary is asked once more to measure noise. */
function baselineRate(mirrors, name) {
  return mirrors.reduce(
    (sum, { baseline }) => sum + (baseline?.to === name ? (baseline.recent?.sent ?? 0) : 0),
    0,
  );
}

/** Recordings and streams, drawn as versions are: what they are given, and what of it they lose. */
function sinks({ mirrors: all }) {
  const names = new Set(all.filter(({ sink }) => sink).map(({ to }) => to));
  return [...names].map((name) => {
    const mirrors = all.filter(({ to }) => to === name);
    const over = mirrors.map(({ recent }) => recent).filter((one) => one !== null);
    const sumOf = (value) => over.reduce((sum, one) => sum + value(one), 0);
    const sent = sumOf((one) => one.sent);
    const failed = sumOf((one) => one.failed.reduce((sum, { rate }) => sum + rate, 0));
    return {
      series: { name, role: 'sink' },
      mirrors,
      rate: sent,
      errorShare: sent > 0 ? Math.min(1, failed / sent) : 0,
      inFlight: sumOf((one) => one.inFlight),
      latencies: null,
      drops: ranked(over.flatMap(({ dropped }) => dropped)),
      isDead: false,
      trouble: stopped(mirrors),
      again: 0,
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
    picture.append(...line(path, flow.thickness(version.rate), version.rate, edgeClassOf(version)));
    const labelX = fromX + bend + 14;
    const lift = flow.thickness(version.rate) / 2;
    edgeText(picture, labelX, y - lift - 8, version, versionX - labelX - 10);
    const low = y + againPx;
    const again = `M${fromX} ${middle} C${fromX + bend * 0.7} ${middle} ${fromX + bend * 0.3} ${low} ${fromX + bend} ${low} L${versionX} ${low}`;
    baselineEdge(picture, again, version, labelX, low + 17, versionX - labelX - 10);
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
    picture.append(...line(path, flow.thickness(version.rate), version.rate, edgeClassOf(version)));
  }
  node(picture, 0.5, 0.5, box, 'clients', plural(flow.connections, 'connection'), 'n-clients');
  node(picture, 0.5, first, box, 'umbra', threadsText(flow), 'n-umbra');
  flow.versions.forEach((version, i) => {
    const y = begin + rows.tops[i] + 84;
    edgeText(picture, rail + 18, y - box.height / 2 - 10, version, width - rail - 20);
    versionNode(picture, rail + 22, y - box.height / 2, { ...box, width: width - rail - 23 }, version);
    if (version.again > 0)
      baselineText(picture, rail + 26, y + box.height / 2 + 16, version, width - rail - 30);
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
  for (const { drops, again } of versions) {
    tops.push(total);
    middles.push(total + base / 2 + 8);
    total +=
      base +
      (again > 0 ? againPx : 0) +
      Math.min(drops.length, dropsShown + 1) * perDrop +
      (drops.length > 0 ? 6 : 0);
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
  const { series, isDead, trouble } = version;
  const state = `${trouble === null ? '' : ' troubled'}${isDead ? ' dead' : ''}`;
  node(
    picture,
    x,
    y,
    box,
    series.name,
    detailOf(version),
    `n-version ${colourClass(series)}${state}`,
    shortTarget(series),
  );
}

function edgeClassOf(version) {
  return `${edgeClass(version)}${version.isDead ? ' dead' : ''}`;
}

/** A baseline is a second request to the primary, so its edge leads there. */
function baselineEdge(picture, path, version, x, y, room) {
  if (version.again === 0) return;
  picture.append(
    ...line(
      path,
      thickness(version.again, Math.max(version.again, version.rate), 4),
      version.again,
      `${edgeClass(version)} again`,
    ),
  );
  baselineText(picture, x, y, version, room);
}

function baselineText(picture, x, y, version, room) {
  const text = label(picture, x, y, '', 'small muted');
  text.append(
    svg('tspan', { class: 'strong' }, rate(version.again)),
    svg('tspan', { dx: 6 }, clipped('asked once more as the baseline', room - 60, 6.3)),
  );
}
