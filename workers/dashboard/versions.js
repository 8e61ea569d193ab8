/**
 * All versions side by side, a column each: the numbers of /api/stats, which the pictures above only show.
 */

import { el, setText } from './dom.js';
import { count, duration, percent, rate } from './format.js';
import { badge } from './mirrors.js';
import { seriesKey, versionOver } from './model.js';

const recentS = 10;

const rows = [
  ['requests', ({ counts }) => count(counts.requests)],
  ['rate, last 10 s', ({ recent }) => rate(recent?.rate ?? 0)],
  [
    'errors, last 10 s',
    ({ recent }) => percent(recent?.errorShare ?? 0),
    ({ recent }) => (recent?.errorShare ?? 0) > 0,
  ],
  ['2xx', ({ counts }) => count(counts.responses['2xx'])],
  ['3xx', ({ counts }) => count(counts.responses['3xx'])],
  ['4xx', ({ counts }) => count(counts.responses['4xx'])],
  ['5xx', ({ counts }) => count(counts.responses['5xx']), ({ counts }) => counts.responses['5xx'] > 0],
  ['failures', ({ counts }) => failures(counts), ({ counts }) => sum(counts.failures) > 0],
  ['latency p50', ({ counts }) => latency(counts, 'p50')],
  ['p90', ({ counts }) => latency(counts, 'p90')],
  ['p99', ({ counts }) => latency(counts, 'p99')],
  ['p99.9', ({ counts }) => latency(counts, 'p999')],
  ['max', ({ counts }) => latency(counts, 'max')],
  ['first byte p50', ({ counts }) => (counts.firstByteUs.count > 0 ? duration(counts.firstByteUs.p50) : '–')],
  ['first byte p99', ({ counts }) => (counts.firstByteUs.count > 0 ? duration(counts.firstByteUs.p99) : '–')],
  ['in flight', ({ live }) => count(live.inFlight)],
  ['connections busy', ({ live }) => count(live.connections.busy)],
  ['connections idle', ({ live }) => count(live.connections.idle)],
];

export class Versions {
  #place;
  #model;
  #shown = '';
  #cells = [];

  constructor(place, model) {
    this.#place = place;
    this.#model = model;
  }

  draw() {
    const { snapshot } = this.#model;
    if (snapshot === null) return;
    const points = this.#model.last(recentS);
    const columns = snapshot.live.versions.map((live) => ({
      live,
      counts: snapshot.stats.versions[live.name][live.role],
      recent: versionOver(points, seriesKey(live)),
    }));
    const shown = columns.map(({ live }) => seriesKey(live)).join('\n\n');
    if (shown !== this.#shown) this.#build(columns, shown);
    rows.forEach(([, value, isBad], row) => {
      columns.forEach((column, i) => {
        const cell = this.#cells[row][i];
        setText(cell, value(column));
        cell.classList.toggle('bad', isBad?.(column) ?? false);
      });
    });
  }

  #build(columns, shown) {
    this.#shown = shown;
    const head = el('tr', {}, el('td', {}));
    for (const { live } of columns) {
      head.append(
        el(
          'th',
          { scope: 'col' },
          badge(live.name, live.role),
          el('span', { className: 'muted', textContent: live.role }),
        ),
      );
    }
    this.#cells = rows.map(() => columns.map(() => el('td')));
    const body = rows.map(([name], row) =>
      el('tr', {}, el('th', { scope: 'row', textContent: name }), ...this.#cells[row]),
    );
    this.#place.replaceChildren(el('table', {}, el('thead', {}, head), el('tbody', {}, ...body)));
  }
}

function latency(counts, name) {
  return counts.latencyUs.count > 0 ? duration(counts.latencyUs[name]) : '–';
}

function failures(counts) {
  const reasons = Object.entries(counts.failures).filter(([, n]) => n > 0);
  if (reasons.length === 0) return '0';
  return reasons.map(([reason, n]) => `${count(n)} ${reason}`).join(', ');
}

function sum(record) {
  return Object.values(record).reduce((total, n) => total + n, 0);
}
