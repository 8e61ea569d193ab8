/** Many mirrors as the rows of a table that can be searched, sorted and filtered. */
import { badge, routeLink } from './badge.js';
import { el, scroller, segments, setText } from './dom.js';
import { difference, percent, rate } from './format.js';
import { MirrorControl } from './mirror-control.js';
import { addCompare, beyondNoise, plural, rawDifference } from './mirror-figures.js';
import { mirrorKey } from './model.js';
import { levelOf } from './trouble.js';

/** Rows drawn at a time, before the browser gets its turn. */
const rowsAtOnce = 16;
/** Rows that are shown before a person asks for all. */
const rowsFirst = 30;
/** The order follows the figures so often, and never while a person is in the table. */
const orderEveryMs = 5000;

const filters = [
  ['all', 'all', () => true],
  ['trouble', 'trouble', ({ state }) => levelOf(state.level) >= levelOf('failing')],
  ['off', 'off', ({ enabled }) => !enabled],
  ['changed', 'changed live', ({ change }) => change !== null],
];

/** Heading, class, value to sort by (largest first unless it is text), and what it means. */
const columns = [
  { name: 'route', by: ({ route }) => route },
  { name: 'mirror', by: ({ to }) => to },
  { name: 'state', by: urgency },
  { name: 'share', by: ({ percent }) => percent },
  { name: 'copies', by: ({ recent }) => recent?.sent ?? 0, title: 'Copies sent per second' },
  { name: 'lost', by: lostShare, title: 'Copies that were dropped or failed, of the last ten seconds' },
  { name: 'errors', by: ({ shadow }) => shadow?.errorShare ?? -1, title: 'Failures and 5xx of the shadow' },
  {
    name: 'shadow − primary, p50',
    by: ({ pairedDeltaUs }) => (pairedDeltaUs.count > 0 ? pairedDeltaUs.p50 : Number.NEGATIVE_INFINITY),
    title: 'Latency of the shadow minus that of the primary for the same request',
  },
  {
    name: 'beyond noise | raw',
    by: (mirror) => beyondNoise(mirror)?.share ?? -1,
    title: 'Pairs that differ beyond noise, and all that differ',
  },
  { name: 'verdict', by: ({ verdict }) => ['pass', 'undecided', 'fail'].indexOf(verdict?.outcome) },
];

export class MirrorRows {
  #mirrors = [];
  #rows = new Map();
  #order = [];
  #orderedMs = 0;
  #sort = { column: columns[2], isUp: false };
  #filter = filters[0];
  #text = '';
  #search = el('input', {
    type: 'search',
    id: 'mirror-search',
    placeholder: 'route or version',
    autocomplete: 'off',
    spellcheck: false,
  });
  #all = el('button', { type: 'button', className: 'link', hidden: true });
  #isAll = false;
  #found = el('p', { className: 'muted', role: 'status' });
  #filters = el(
    'fieldset',
    { className: 'segments' },
    el('legend', { className: 'hidden', textContent: 'Which mirrors' }),
  );
  #body = el('tbody');
  #heads = columns.map((column) => this.#head(column));
  element = el(
    'div',
    { className: 'rows', hidden: true },
    el(
      'div',
      { className: 'tools' },
      el('label', { className: 'search' }, el('span', { textContent: 'Search' }), this.#search),
      this.#filters,
      this.#found,
    ),
    scroller(
      'Mirrors',
      el(
        'table',
        { className: 'mirror-rows' },
        el('thead', {}, el('tr', {}, el('td'), ...this.#heads.map(({ element }) => element))),
        this.#body,
      ),
    ),
    this.#all,
  );

  constructor() {
    segments(
      this.#filters,
      'mirror-filter',
      filters.map(([name, label]) => [name, label]),
      'all',
      (name) => {
        this.#filter = filters.find(([one]) => one === name);
        this.#arrange();
      },
    );
    this.#search.addEventListener('input', () => {
      this.#text = this.#search.value.trim().toLowerCase();
      this.#arrange();
    });
    this.#all.addEventListener('click', () => {
      this.#isAll = true;
      this.#arrange();
    });
    this.#showSort();
  }

  showTroubled() {
    for (const input of this.#filters.querySelectorAll('input')) if (input.value === 'trouble') input.click();
  }

  *draw(mirrors) {
    if (mirrors.length === 0) {
      this.#mirrors = mirrors;
      if (this.#rows.size > 0) this.#arrange();
      return;
    }
    const isUsed = this.#body.contains(document.activeElement) || this.#body.matches(':hover');
    const known = new Set(this.#mirrors.map(mirrorKey));
    const isNew = mirrors.length !== known.size || mirrors.some((mirror) => !known.has(mirrorKey(mirror)));
    this.#mirrors = mirrors;
    if (isNew || (!isUsed && performance.now() - this.#orderedMs > orderEveryMs)) this.#arrange();
    const byKey = new Map(mirrors.map((mirror) => [mirrorKey(mirror), mirror]));
    let drawn = 0;
    for (const key of this.#order) {
      const mirror = byKey.get(key);
      if (mirror === undefined) continue;
      this.#rows.get(key).update(mirror);
      if (++drawn % rowsAtOnce === 0) yield;
    }
  }

  #head(column) {
    const button = el('button', { type: 'button', textContent: column.name, title: column.title ?? '' });
    const element = el('th', { scope: 'col' }, button);
    button.addEventListener('click', () => {
      const isSame = this.#sort.column === column;
      this.#sort = { column, isUp: isSame ? !this.#sort.isUp : isText(column, this.#mirrors) };
      this.#showSort();
      this.#arrange();
    });
    return { column, element };
  }

  #showSort() {
    for (const { column, element } of this.#heads) {
      const isSorted = column === this.#sort.column;
      element.setAttribute('aria-sort', isSorted ? (this.#sort.isUp ? 'ascending' : 'descending') : 'none');
    }
  }

  /** Chooses and orders the rows, and makes those that are new. */
  #arrange() {
    this.#orderedMs = performance.now();
    const [, , isShown] = this.#filter;
    const shown = this.#mirrors.filter((mirror) => isShown(mirror) && this.#matches(mirror));
    const { column, isUp } = this.#sort;
    shown.sort(
      (a, b) => compare(column.by(a), column.by(b)) * (isUp ? 1 : -1) || compare(mirrorKey(a), mirrorKey(b)),
    );
    const there = new Set(this.#mirrors.map(mirrorKey));
    for (const [key, row] of this.#rows) {
      if (there.has(key)) continue;
      row.element.remove();
      this.#rows.delete(key);
    }
    const drawn = this.#isAll ? shown : shown.slice(0, rowsFirst);
    this.#all.hidden = drawn.length === shown.length;
    setText(this.#all, `Show all ${plural(shown.length, 'mirror')}`);
    this.#order = drawn.map(mirrorKey);
    for (const mirror of drawn) {
      const key = mirrorKey(mirror);
      if (!this.#rows.has(key)) this.#rows.set(key, new Row(mirror));
      if (!this.#rows.get(key).element.isConnected) this.#rows.get(key).update(mirror);
    }
    const elements = this.#order.map((key) => this.#rows.get(key).element);
    placeIn(this.#body, elements);
    const all = this.#mirrors.length;
    setText(
      this.#found,
      shown.length === all ? plural(all, 'mirror') : `${shown.length} of ${plural(all, 'mirror')}`,
    );
  }

  #matches({ route, to, primary }) {
    return this.#text === '' || [route, to, primary].some((name) => name.toLowerCase().includes(this.#text));
  }
}

/** Makes `elements` the children of `parent`, and moves no more of them than it must. */
function placeIn(parent, elements) {
  const wanted = new Set(elements);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  elements.forEach((element, i) => {
    if (parent.children[i] !== element) parent.insertBefore(element, parent.children[i] ?? null);
  });
}

/** The order of rows by state: only what fails comes first, so that rows do not move for every lost copy. */
function urgency({ state }) {
  return Math.max(levelOf(state.level), levelOf('note'));
}

function isText(column, mirrors) {
  return mirrors.length > 0 && typeof column.by(mirrors[0]) === 'string';
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

function lostShare({ recent }) {
  const eligible = recent?.eligible ?? 0;
  return eligible > 0 ? Math.min(1, lostRate(recent) / eligible) : 0;
}

function lostRate(recent) {
  return [...recent.dropped, ...recent.failed].reduce((sum, one) => sum + one.rate, 0);
}

class Row {
  #control;
  #state = el('span', { className: 'state-word' });
  #cells = Object.fromEntries(
    ['copies', 'lost', 'errors', 'delta', 'differ', 'verdict'].map((name) => [name, el('td')]),
  );
  element;

  constructor(mirror) {
    const { route, to, primary, sink } = mirror;
    this.#control = new MirrorControl(mirror, (name, isOn) => this.element.classList.toggle(name, isOn));
    const { copies, lost, errors, delta, differ, verdict } = this.#cells;
    this.element = el(
      'tr',
      { className: 'mirror-row' },
      el('td', {}, this.#control.switch),
      el('th', { scope: 'row' }, routeLink(route)),
      el(
        'td',
        { className: 'names' },
        badge(primary, 'primary'),
        el('span', { className: 'arrow', textContent: ' → ' }),
        badge(to, sink ? 'sink' : 'shadow'),
        this.#control.said,
      ),
      el('td', { className: 'state-cell' }, this.#state),
      el('td', {}, this.#control.shareField()),
      copies,
      lost,
      errors,
      delta,
      differ,
      verdict,
    );
  }

  update(mirror) {
    this.#control.update(mirror);
    const { recent, shadow, pairedDeltaUs, verdict, state } = mirror;
    if (this.element.dataset.level !== state.level) this.element.dataset.level = state.level;
    setText(this.#state, state.word);
    if (this.#state.title !== state.text) this.#state.title = state.text;
    const lost = lostShare(mirror);
    this.#set('copies', rate(recent?.sent ?? 0));
    this.#set('lost', percent(lost), lost > 0);
    this.#set('errors', shadow === null ? '–' : percent(shadow.errorShare), (shadow?.errorShare ?? 0) > 0);
    this.#set('delta', pairedDeltaUs.count > 0 ? difference(pairedDeltaUs.p50) : '–');
    this.#differences(mirror);
    const outcome = verdict?.outcome ?? '–';
    this.#set('verdict', outcome, outcome === 'fail');
    this.#cells.verdict.dataset.outcome = outcome;
  }

  #differences(mirror) {
    const beyond = beyondNoise(mirror);
    const raw = rawDifference(mirror);
    const rawText = raw === null ? '–' : percent(raw);
    if (beyond === null) {
      this.#set('differ', mirror.sink ? '–' : `not compared | ${rawText}`);
      this.#cells.differ.title = mirror.sink ? '' : addCompare;
      return;
    }
    this.#set(
      'differ',
      `${beyond.share === null ? '–' : percent(beyond.share)} | ${rawText}`,
      beyond.share > 0,
    );
  }

  #set(name, text, isBad = false) {
    const cell = this.#cells[name];
    setText(cell, text);
    cell.classList.toggle('bad', isBad);
  }
}
