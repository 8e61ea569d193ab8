/** Pieces that the pictures of the flow are drawn with. */
import { colourClass } from './colours.js';
import { setText, svg } from './dom.js';
import { bytes, count, duration, percent, rate, share } from './format.js';

const edge = { thin: 1.5, more: 11 };

/** How thick an edge with this rate is, where the busiest one has `most`. */
export function thickness(value, most, more = edge.more) {
  return value > 0 ? edge.thin + more * Math.sqrt(Math.min(1, value / Math.max(1e-9, most))) : edge.thin;
}

/** An edge, with moving dashes on it where requests run. */
export function line(path, width, value, className) {
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

export function edgeClass({ series }) {
  return `${colourClass(series)} e-${series.role}`;
}

export function edgeFigures(version) {
  const p99 = version.latencies?.percentile(0.99) ?? null;
  const parts = [rate(version.rate), lossText(version)];
  if (p99 !== null) parts.push(`p99 ${duration(p99)}`);
  parts.push(`${count(version.inFlight ?? 0)} in flight`);
  return parts.join(', ');
}

export function lossText({ series, errorShare }) {
  return `${percent(errorShare)} ${series.role === 'sink' ? 'lost' : 'errors'}`;
}

/** What a node says below its name. */
export function detailOf({ series, mirrors, trouble, isDead }) {
  if (series.role === 'primary') return 'primary';
  const on = mirrors.filter((mirror) => mirror.enabled);
  if (trouble !== null) return isDead ? `dead: ${trouble}` : trouble;
  return mirrors.length === 1
    ? `${kindOf(series)}, ${on.length === 1 ? (keptOf(on[0]) ?? share(on[0].percent)) : 'off'}`
    : `${kindOf(series)}, ${on.length} of ${mirrors.length} mirrors on`;
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

/** A box with a coloured mark, a name and a line below it. */
export function node(picture, x, y, box, name, detail, className, shown = name) {
  const group = svg('g', { class: `node ${className}` });
  group.append(svg('rect', { x, y, width: box.width, height: box.height, rx: 10 }));
  group.append(svg('rect', { x, y: y + 10, width: 3, height: box.height - 20, rx: 1.5, class: 'mark' }));
  const title = label(group, x + 14, y + box.height / 2 - 4, clipped(shown, box.width - 26, 8.4), 'name');
  title.append(svg('title', {}, name));
  const below = label(
    group,
    x + 14,
    y + box.height / 2 + 13,
    clipped(detail, box.width - 24, 6.3),
    'muted small',
  );
  below.append(svg('title', {}, detail));
  picture.append(group);
  return group;
}

export function label(parent, x, y, text, className) {
  const element = svg('text', { x, y, class: className });
  setText(element, text);
  parent.append(element);
  return element;
}

/** SVG text does not wrap or end by itself. */
export function clipped(text, widthPx, charPx) {
  const most = Math.max(3, Math.floor(widthPx / charPx));
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

export function threadsText({ threads }) {
  return `${threads.proxy} proxy, ${threads.shadow} shadow`;
}

export function plural(n, word) {
  return `${count(n)} ${word}${n === 1 ? '' : 's'}`;
}
