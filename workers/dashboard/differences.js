/** The differences that comparing found, grouped, with samples. They are asked for while the page is open, every few seconds. */
import { send } from './api.js';
import { byId, el, Keyed, setText } from './dom.js';
import { count } from './format.js';
import { badge } from './mirrors.js';

const everyMs = 5000;
const groupsShown = 100;

export class Differences {
  #note = byId('differences-note');
  #list = el('div', { className: 'groups' });
  #empty = el('p', { className: 'empty' });
  #groups = new Keyed(this.#list);
  #timer = 0;

  constructor(place) {
    place.append(this.#empty, this.#list);
  }

  start() {
    this.stop();
    const ask = async () => {
      await this.#ask();
      this.#timer = setTimeout(ask, everyMs);
    };
    this.#timer = setTimeout(ask, 0);
  }

  stop() {
    clearTimeout(this.#timer);
  }

  async #ask() {
    try {
      this.#show(await send('GET', 'api/diffs'));
    } catch {
      // What was shown stays: the banner says that there is no connection.
    }
  }

  #show(answer) {
    const groups = Array.isArray(answer?.groups) ? answer.groups : [];
    if (groups.length === 0) {
      this.#nothing('None found. Responses are compared where a mirror has `compare`.');
      return;
    }
    this.#empty.hidden = true;
    const sorted = groups.toSorted(
      (a, b) => Number(a.noise === true) - Number(b.noise === true) || b.count - a.count,
    );
    setText(
      this.#note,
      sorted.length > groupsShown ? `the ${groupsShown} largest of ${count(sorted.length)} groups` : '',
    );
    this.#groups.update(sorted.slice(0, groupsShown), keyOf, () => new Group());
  }

  #nothing(text) {
    this.#groups.update([], keyOf, () => new Group());
    setText(this.#note, '');
    setText(this.#empty, text);
    this.#empty.hidden = false;
  }
}

function keyOf({ route, version, kind, path }) {
  return [route, version, kind, path].join('\n');
}

class Group {
  #summary = el('summary');
  #samples = el('div', { className: 'samples' });
  #shown = '';
  element = el('details', { className: 'group' }, this.#summary, this.#samples);

  update(group) {
    const shown = JSON.stringify(group);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const noise = group.noise === true;
    this.element.classList.toggle('noise', noise);
    this.#summary.replaceChildren(
      el('span', { className: 'count', textContent: count(Number(group.count) || 0), title: often(group) }),
      el('span', { className: 'kind', textContent: text(group.kind) }),
      el('bdi', { className: 'path', textContent: text(group.path ?? '') }),
      el(
        'span',
        { className: 'where' },
        ...(noise ? [el('span', { className: 'chip', textContent: 'noise' })] : []),
        badge(text(group.version), 'shadow'),
        el('span', { className: 'muted', textContent: text(group.route) }),
      ),
    );
    const samples = Array.isArray(group.samples) ? group.samples : [];
    this.#samples.replaceChildren(
      el('p', { className: 'muted', textContent: often(group) }),
      ...samples.map((one) => sample(one)),
    );
  }
}

/** How often, and how often by chance: `12 of 97 pairs; between two answers of the primary 11 of 95: noise`. */
function often({ count: n, compared, baseline, noise }) {
  const pairs = Number.isFinite(compared)
    ? `${count(n)} of ${count(compared)} pairs`
    : `${count(Number(n) || 0)} pairs`;
  if (baseline === null || baseline === undefined) return pairs;
  const own = `between two answers of the primary ${count(baseline.count)} of ${count(baseline.compared)}`;
  return `${pairs}; ${own}${noise === true ? ': it differs by itself' : ''}`;
}

function sample(one) {
  const about = [one.request, one.at, one.id]
    .filter((part) => typeof part === 'string' && part !== '')
    .join(' · ');
  return el(
    'div',
    { className: 'sample' },
    side('primary', one.primary),
    side('shadow', one.shadow),
    ...(about === '' ? [] : [el('p', { className: 'muted id', textContent: about })]),
  );
}

function side(name, value) {
  return el(
    'div',
    {},
    el('h4', { textContent: name }),
    // As JSON, so that `1` and `"1"` look different.
    el('pre', { textContent: value === undefined ? '(absent)' : JSON.stringify(value, null, 2) }),
  );
}

function text(v) {
  return typeof v === 'string' ? v : (JSON.stringify(v) ?? '');
}
