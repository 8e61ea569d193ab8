/**
 * All versions side by side: the numbers of /api/stats, which the pictures above only show. A few are
 * columns, many are rows.
 */
import { badge } from './badge.js';
import { el, scroller, setText } from './dom.js';
import { count, duration, percent, rate } from './format.js';
import { seriesKey } from './model.js';

const figures = [
  { name: 'requests', value: ({ counts }) => count(counts.requests) },
  { name: 'rate, last 10 s', value: ({ recent }) => rate(recent?.rate ?? 0) },
  {
    name: 'errors, last 10 s',
    value: ({ recent }) => percent(recent?.errorShare ?? 0),
    isBad: ({ recent }) => (recent?.errorShare ?? 0) > 0,
  },
  { name: '2xx', value: ({ counts }) => count(counts.responses['2xx']) },
  { name: '3xx', value: ({ counts }) => count(counts.responses['3xx']) },
  { name: '4xx', value: ({ counts }) => count(counts.responses['4xx']) },
  {
    name: '5xx',
    value: ({ counts }) => count(counts.responses['5xx']),
    isBad: ({ counts }) => counts.responses['5xx'] > 0,
  },
  {
    name: 'failures',
    value: ({ counts }) => failures(counts),
    isBad: ({ counts }) => sum(counts.failures) > 0,
  },
  { name: 'latency p50', value: ({ counts }) => latency(counts, 'p50') },
  { name: 'p90', value: ({ counts }) => latency(counts, 'p90') },
  { name: 'p99', value: ({ counts }) => latency(counts, 'p99') },
  { name: 'p99.9', value: ({ counts }) => latency(counts, 'p999') },
  { name: 'max', value: ({ counts }) => latency(counts, 'max') },
  { name: 'first byte p50', value: ({ counts }) => firstByte(counts, 'p50') },
  { name: 'first byte p99', value: ({ counts }) => firstByte(counts, 'p99') },
  { name: 'in flight', value: ({ live }) => count(live.inFlight) },
  { name: 'connections busy', value: ({ live }) => count(live.connections.busy) },
  { name: 'connections idle', value: ({ live }) => count(live.connections.idle) },
  {
    name: 'ejected now',
    value: ({ counts }) => count(counts.ejection?.ejected ?? 0),
    isBad: ({ counts }) => (counts.ejection?.ejected ?? 0) > 0,
  },
];

/** The most versions that are columns. More would run out of the window, so each is a row. */
const columnsMost = 6;
const rowsAtOnce = 24;

export class Versions {
  #summary = el('summary');
  #fold = el('details', { className: 'fold', hidden: true }, this.#summary);
  #table = scroller('Versions');
  #shown = '';
  #cells = [];

  /** `onOpen` is called when a person opens or closes the rows. */
  constructor(place, onOpen) {
    place.append(this.#fold, this.#table);
    this.#fold.addEventListener('toggle', onOpen);
  }

  /** Draws in pieces; rows are drawn while they are open. */
  *draw({ series }) {
    const areRows = series.length > columnsMost;
    this.#fold.hidden = !areRows;
    setText(this.#summary, `All ${count(series.length)} versions, a row each`);
    if (areRows && !this.#fold.open) {
      this.#shown = '';
      this.#table.replaceChildren();
      return;
    }
    const shown = `${areRows}\n\n${series.map(seriesKey).join('\n\n')}`;
    if (shown !== this.#shown) {
      this.#shown = shown;
      this.#cells = series.map(() => figures.map(() => el('td')));
      this.#table.replaceChildren(areRows ? asRows(series, this.#cells) : asColumns(series, this.#cells));
    }
    for (const [i, one] of series.entries()) {
      for (const [k, { value, isBad }] of figures.entries()) {
        const cell = this.#cells[i][k];
        setText(cell, value(one));
        cell.classList.toggle('bad', isBad?.(one) ?? false);
      }
      if (i % rowsAtOnce === rowsAtOnce - 1) yield;
    }
  }
}

function asColumns(series, cells) {
  const head = el('tr', {}, el('td', {}), ...series.map((one) => el('th', { scope: 'col' }, ...title(one))));
  const body = figures.map(({ name }, k) =>
    el('tr', {}, el('th', { scope: 'row', textContent: name }), ...cells.map((ofVersion) => ofVersion[k])),
  );
  return el('table', {}, el('thead', {}, head), el('tbody', {}, ...body));
}

function asRows(series, cells) {
  const head = el(
    'tr',
    {},
    el('td', {}),
    ...figures.map(({ name }) => el('th', { scope: 'col', textContent: name })),
  );
  const body = series.map((one, i) => el('tr', {}, el('th', { scope: 'row' }, ...title(one)), ...cells[i]));
  return el('table', { className: 'version-rows' }, el('thead', {}, head), el('tbody', {}, ...body));
}

function title({ name, role, title: text }) {
  return [badge(name, role), el('span', { className: 'muted', textContent: text })];
}

function latency(counts, name) {
  return counts.latencyUs.count > 0 ? duration(counts.latencyUs[name]) : '–';
}

function firstByte({ firstByteUs }, name) {
  return firstByteUs.count > 0 ? duration(firstByteUs[name]) : '–';
}

function failures(counts) {
  const reasons = Object.entries(counts.failures).filter(([, n]) => n > 0);
  if (reasons.length === 0) return '0';
  return reasons.map(([reason, n]) => `${count(n)} ${reason}`).join(', ');
}

function sum(record) {
  return Object.values(record).reduce((total, n) => total + n, 0);
}
