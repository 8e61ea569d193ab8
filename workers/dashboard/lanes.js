/**
 * The flow of many routes: a lane for each, from umbra over the route to its primary, and from there on to
 * its shadows. What fails comes first and is always drawn; what is left out is summed up.
 */
import { colourClass } from './colours.js';
import { svg } from './dom.js';
import { duration, percent, rate, share, shortTarget } from './format.js';
import { clipped, label, line, node, plural, thickness, threadsText } from './picture.js';
import { levelOf } from './trouble.js';

/** Lanes drawn, and how many there may be when so many routes fail. */
const most = { wide: 12, narrow: 5 };
const failingMost = { wide: 24, narrow: 12 };
const box = { width: 168, height: 46 };
const lane = { height: 62, box: 40 };
const rail = 22;

export class Lanes {
  draw(view, width, isNarrow) {
    const { lanes, rest } = gather(view, isNarrow ? 'narrow' : 'wide');
    const layout = isNarrow ? narrowLayout(lanes, width) : wideLayout(lanes, width);
    const height = layout.height + (rest === null ? 6 : 40);
    const clients = clientRate(view);
    const picture = svg('svg', {
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      role: 'group',
      'aria-label': `Clients send ${rate(clients)} to ${plural(view.routes.length, 'route')}.`,
    });
    const trunk = Math.max(...layout.lanes.map(({ y }) => y), box.height);
    picture.append(
      svg('path', { d: `M${rail} ${box.height} V${trunk - 14}`, class: 'edge c-clients', 'stroke-width': 3 }),
    );
    for (const one of layout.lanes) picture.append(drawLane(one, layout));
    node(picture, 0.5, 0.5, box, 'umbra', threadsText(view.snapshot.stats), 'n-umbra');
    const connections = view.snapshot.live.threads.reduce((sum, thread) => sum + thread.connections, 0);
    const head = label(picture, box.width + 18, box.height / 2 + 5, '', '');
    head.append(svg('tspan', { class: 'strong' }, rate(clients)));
    const from = isNarrow ? '' : `from ${plural(connections, 'connection')}`;
    head.append(svg('tspan', { class: 'muted', dx: 8 }, from));
    if (rest !== null)
      label(
        picture,
        rail + 26,
        layout.height + 22,
        clipped(rest.text, width - rail - 30, 6.8),
        rest.className,
      );
    return picture;
  }
}

function clientRate({ series }) {
  return series.reduce((sum, { role, recent }) => sum + (role === 'primary' ? (recent?.rate ?? 0) : 0), 0);
}

/** Which routes are drawn, and one sentence of the others. */
function gather({ routes }, size) {
  const ranked = routes
    .map((route) => ({ route, worst: worstOf(route), copies: copiesOf(route) }))
    .sort(
      (a, b) =>
        b.worst - a.worst ||
        hasMirrors(b) - hasMirrors(a) ||
        b.copies - a.copies ||
        (b.route.rate ?? 0) - (a.route.rate ?? 0),
    );
  const failing = ranked.filter(({ worst }) => worst >= levelOf('failing')).length;
  const shown = ranked.slice(0, Math.max(most[size], Math.min(failing, failingMost[size])));
  const others = ranked.slice(shown.length);
  const busiest = Math.max(1e-9, ...shown.map(({ route }) => rateOf(route)));
  // Lanes keep the order of the configuration, behind those that fail, so that they do not change places.
  const place = new Map(routes.map((route, i) => [route.name, i]));
  const lanes = shown
    .sort((a, b) => worstClass(b) - worstClass(a) || place.get(a.route.name) - place.get(b.route.name))
    .map(({ route }) => ({ route, busiest }));
  return { lanes, rest: others.length === 0 ? null : restOf(others) };
}

function hasMirrors({ route }) {
  return Number(route.mirrors.length > 0);
}

function worstClass({ worst }) {
  return worst >= levelOf('failing') ? worst : 0;
}

function restOf(others) {
  const mirrors = others.flatMap(({ route }) => route.mirrors);
  const copies = others.reduce((sum, one) => sum + one.copies, 0);
  const failing = others.filter(({ worst }) => worst >= levelOf('failing')).length;
  const state = failing === 0 ? 'none of them fails' : `${plural(failing, 'route')} of them with trouble`;
  return {
    text: `and ${plural(others.length, 'route')} more with ${plural(mirrors.length, 'mirror')}, ${rate(copies)} copies; ${state}`,
    className: failing === 0 ? 'muted' : 'bad',
  };
}

function worstOf({ mirrors, primaries }) {
  const isBad = primaries.some(({ recent, ejected }) => (recent?.errorShare ?? 0) >= 0.01 || ejected > 0);
  return Math.max(isBad ? levelOf('clients') : 0, ...mirrors.map(({ state }) => levelOf(state.level)));
}

function copiesOf({ mirrors }) {
  return mirrors.reduce((sum, { recent }) => sum + (recent?.eligible ?? 0), 0);
}

function rateOf(route) {
  return route.rate ?? route.primaries.reduce((sum, { recent }) => sum + (recent?.rate ?? 0), 0);
}

function wideLayout(lanes, width) {
  const nameX = rail + 26;
  const nameWidth = Math.min(190, Math.round(width * 0.15));
  const firstX = nameX + nameWidth + 64;
  const columns = Math.max(2, ...lanes.map(({ route }) => Math.min(4, boxesOf(route).length)));
  const gap = 44;
  const boxWidth = Math.min(420, Math.floor((width - firstX - gap * (columns - 1) - 2) / columns));
  let y = box.height + 18;
  const placed = lanes.map((one) => {
    const boxes = boxesOf(one.route);
    const rows = Math.ceil(boxes.length / columns);
    const at = { ...one, y: y + lane.box / 2 };
    at.boxes = boxes.map((what, i) => ({
      ...what,
      x: firstX + (i % columns) * (boxWidth + gap),
      y: y + Math.floor(i / columns) * (lane.box + 12),
      width: boxWidth,
    }));
    y += rows * (lane.box + 12) + lane.height - lane.box - 12;
    return at;
  });
  return { lanes: placed, height: y, nameX, nameWidth, isNarrow: false };
}

function narrowLayout(lanes, width) {
  const nameX = rail + 26;
  const boxX = rail + 26;
  let y = box.height + 14;
  const placed = lanes.map((one) => {
    const at = { ...one, y: y + 14 };
    at.boxes = boxesOf(one.route).map((what, i) => ({
      ...what,
      x: boxX + (what.role === 'primary' ? 0 : 18),
      y: y + 26 + i * (lane.box + 8),
      width: width - boxX - (what.role === 'primary' ? 0 : 18) - 1,
    }));
    y += 26 + at.boxes.length * (lane.box + 8) + 4;
    return at;
  });
  return { lanes: placed, height: y, nameX, nameWidth: width - nameX - 4, isNarrow: true };
}

/** The versions of a route as boxes: primaries, then shadows and sinks, those that fail first. */
function boxesOf({ primaries, mirrors }) {
  return [
    ...primaries.map((version) => {
      const again = mirrors.reduce(
        (sum, { baseline }) => sum + (baseline?.to === version.name ? (baseline.recent?.sent ?? 0) : 0),
        0,
      );
      const share = primaries.length > 1 ? version.weight : null;
      return { role: 'primary', version, again, share, isDead: (version.recent?.errorShare ?? 0) >= 0.5 };
    }),
    ...mirrors
      .toSorted((a, b) => levelOf(b.state.level) - levelOf(a.state.level))
      .map((mirror) => ({
        role: mirror.sink ? 'sink' : 'shadow',
        mirror,
        isDead: mirror.state.level === 'dead',
      })),
  ];
}

function drawLane({ route, y, boxes, busiest }, { nameX, nameWidth, isNarrow }) {
  const group = svg('g', { class: 'lane' });
  const value = rateOf(route);
  group.append(
    ...line(
      `M${rail} ${y - 14} Q${rail} ${y} ${rail + 14} ${y} H${nameX - 4}`,
      thickness(value, busiest, 5),
      value,
      'c-clients',
    ),
  );
  if (isNarrow) {
    for (const one of boxes)
      if (one.role !== 'primary') group.append(...copyEdge(one, nameX + 8, boxes[0].y, busiest));
  } else {
    const from = nameX + nameWidth;
    for (const one of boxes.toReversed()) group.append(...wideEdge(one, from, y, busiest));
  }
  const link = svg('a', { href: `#/routes/${encodeURIComponent(route.name)}`, class: 'route-link' });
  const title = label(link, nameX, isNarrow ? y + 5 : y - 1, '', 'name');
  const figures = route.rate === null ? 'shares its version' : rate(route.rate);
  title.append(svg('tspan', {}, clipped(route.name, isNarrow ? nameWidth - 90 : nameWidth, 8.2)));
  if (isNarrow) title.append(svg('tspan', { class: 'muted small', dx: 8 }, figures));
  else label(link, nameX, y + 15, clipped(figures, nameWidth, 6.4), 'muted small');
  title.append(svg('title', {}, `route ${route.name}`));
  group.append(link);
  for (const one of boxes) group.append(laneBox(one));
  return group;
}

/** The edge of a primary goes straight to it; a copy passes below the boxes before its own. */
function wideEdge(one, from, y, busiest) {
  const middle = one.y + lane.box / 2;
  if (one.role === 'primary') {
    const value = one.version.recent?.rate ?? 0;
    return line(
      `M${from} ${y} C${from + 20} ${y} ${one.x - 20} ${middle} ${one.x} ${middle}`,
      thickness(value, busiest, 5),
      value,
      edgeOf(one),
    );
  }
  const low = one.y + lane.box + 5;
  const value = one.mirror.recent?.sent ?? 0;
  const path = `M${from - 6} ${y} C${from + 6} ${y} ${from} ${low} ${from + 22} ${low} H${one.x - 26} C${one.x - 10} ${low} ${one.x - 18} ${middle} ${one.x} ${middle}`;
  return line(path, thickness(value, busiest, 4), value, edgeOf(one));
}

function copyEdge(one, x, top, busiest) {
  const middle = one.y + lane.box / 2;
  const value = one.mirror.recent?.sent ?? 0;
  return line(
    `M${x} ${top} V${middle - 8} Q${x} ${middle} ${x + 10} ${middle}`,
    thickness(value, busiest, 4),
    value,
    edgeOf(one),
  );
}

function edgeOf(one) {
  const series = seriesOf(one);
  return `${colourClass(series)} e-${series.role}${one.isDead ? ' dead' : ''}`;
}

function seriesOf({ role, version, mirror }) {
  return { name: role === 'primary' ? version.name : mirror.to, role };
}

function laneBox(one) {
  const series = seriesOf(one);
  const level = one.mirror?.state.level ?? 'ok';
  const isBad = levelOf(level) >= levelOf('failing') || primaryIsBad(one);
  const isUrgent = one.isDead || one.role === 'primary';
  const group = svg('g');
  node(
    group,
    one.x,
    one.y,
    { width: one.width, height: lane.box },
    series.name,
    one.role === 'primary' ? primaryText(one) : mirrorText(one.mirror),
    `n-version ${colourClass(series)}${isBad ? (isUrgent ? ' troubled' : ' warned') : ''}${one.isDead ? ' dead' : ''}${level === 'off' ? ' off' : ''}`,
    shortTarget(series),
  );
  return group;
}

function primaryIsBad({ version }) {
  return version !== undefined && ((version.recent?.errorShare ?? 0) >= 0.01 || version.ejected > 0);
}

function primaryText({ version: { recent, ejected, isShared }, again, share: weight }) {
  const parts = [rate(recent?.rate ?? 0)];
  if (weight !== null) parts.push(share(weight));
  if ((recent?.errorShare ?? 0) > 0) parts.push(`${percent(recent.errorShare)} errors`);
  if (ejected > 0) parts.push('ejected');
  const p99 = recent?.latencies.percentile(0.99) ?? null;
  if (p99 !== null) parts.push(`p99 ${duration(p99)}`);
  if (again > 0) parts.push(`+ ${rate(again)} baseline`);
  if (isShared) parts.push('all its routes');
  return parts.join(' · ');
}

function mirrorText({ state, recent, shadow, percent: part, enabled }) {
  if (!enabled) return 'off';
  if (levelOf(state.level) >= levelOf('failing')) return state.text;
  const parts = [rate(recent?.sent ?? 0), share(part)];
  if ((shadow?.errorShare ?? 0) > 0) parts.push(`${percent(shadow.errorShare)} errors`);
  const p99 = shadow?.latencies.percentile(0.99) ?? null;
  if (p99 !== null) parts.push(`p99 ${duration(p99)}`);
  if (state.level === 'note') parts.push(state.word);
  return parts.join(' · ');
}
