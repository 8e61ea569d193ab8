/** One card for each mirror: its switch, its share, what became of its copies, and how they compare. */
import { send } from './api.js';
import { colourClass } from './colours.js';
import { el, Keyed, setText } from './dom.js';
import { bytes, count, difference, duration, percent, share } from './format.js';
import { VerdictView } from './verdict.js';

/** A slider that moves on its own (a held arrow key) is sent when it rests. */
const restMs = 350;
/** After a change is in force, how long the card says so. */
const saidMs = 6000;

export class Mirrors {
  #cards;
  #place;
  #empty = el('p', {
    className: 'empty',
    textContent: 'No route has a mirror. Add one under `mirrors` in the configuration.',
  });

  constructor(place) {
    this.#place = place;
    this.#cards = new Keyed(place);
  }

  update(snapshot) {
    const primaries = new Map(snapshot.live.mirrors.map((mirror) => [keyOf(mirror), mirror.primary]));
    const present = snapshot.stats.mirrors
      .map((mirror) => ({ ...mirror, primary: primaries.get(keyOf(mirror)) ?? null }))
      .filter(({ primary }) => primary !== null);
    this.#empty.remove();
    this.#cards.update(present, keyOf, (mirror) => new Card(mirror));
    if (present.length === 0) this.#place.append(this.#empty);
  }
}

function keyOf({ route, to }) {
  return `${route}\n${to}`;
}

let cards = 0;

class Card {
  #mirror;
  #id = `mirror-${++cards}`;
  #switch = el('button', { type: 'button', className: 'switch', role: 'switch', 'aria-checked': 'false' });
  #slider = el('input', { type: 'range', min: '0', max: '100', step: '1' });
  #number = el('input', { type: 'number', min: '0', max: '100', step: 'any', inputMode: 'decimal' });
  #said = el('p', { className: 'said', role: 'status' });
  #states = el('ul', { className: 'chips' });
  #account = new Account();
  #facts = el('dl', { className: 'pairs' });
  #verdict = new VerdictView();
  #timer = 0;
  #saidTimer = 0;
  /** What was asked for and is not in force yet, so that figures from before do not move the controls. */
  #pending = null;
  #touched = false;

  constructor(mirror) {
    this.#mirror = mirror;
    const { route, to, primary } = mirror;
    const title = el('h3', { id: this.#id });
    title.append(
      badge(primary, 'primary'),
      el('span', { className: 'arrow', textContent: '→', 'aria-label': 'to' }),
      badge(to, mirror.sink ? 'sink' : 'shadow'),
      el('span', { className: 'muted route', textContent: `route ${route}` }),
    );
    this.#switch.setAttribute('aria-label', `Mirror of route ${route} to ${to}`);
    this.#slider.setAttribute('aria-label', `Share of route ${route} that is copied to ${to}, in per cent`);
    this.#number.setAttribute('aria-label', `The same share as a number, in steps of 0.0001`);
    this.#switch.addEventListener('click', () => {
      void this.#change({ enabled: this.#switch.getAttribute('aria-checked') !== 'true' });
    });
    this.#slider.addEventListener('input', () => this.#moved(this.#slider));
    this.#slider.addEventListener('change', () => this.#moved(this.#slider));
    this.#number.addEventListener('input', () => {
      this.#touched = true;
    });
    this.#number.addEventListener('change', () => this.#moved(this.#number));
    this.#number.addEventListener('blur', () => {
      this.#touched = false;
    });
    this.element = el(
      'article',
      {
        className: `mirror ${colourClass({ name: to, role: mirror.sink ? 'sink' : 'shadow' })}`,
        'aria-labelledby': this.#id,
      },
      el('header', {}, title, this.#switch),
      el(
        'div',
        { className: 'share' },
        this.#slider,
        el('span', { className: 'number' }, this.#number, el('span', { textContent: '%' })),
      ),
      this.#said,
      this.#states,
      this.#verdict.element,
      this.#account.element,
      this.#facts,
    );
  }

  update(mirror) {
    this.#mirror = mirror;
    if (this.#pending === null) this.#show(mirror);
    this.#states.replaceChildren(
      ...states(mirror).map(({ text, bad }) => el('li', { textContent: text, className: bad ? 'bad' : '' })),
    );
    this.#states.hidden = this.#states.children.length === 0;
    this.#verdict.update(mirror.verdict ?? null);
    this.#account.update(mirror);
    this.#facts.replaceChildren(
      ...facts(mirror).map(([name, value]) =>
        el('div', {}, el('dt', { textContent: name }), el('dd', { textContent: value })),
      ),
    );
  }

  #show({ enabled, percent }) {
    this.#switch.setAttribute('aria-checked', String(enabled));
    this.element.classList.toggle('off', !enabled);
    if (document.activeElement !== this.#slider || this.#slider.dataset.moving !== 'yes') {
      this.#slider.value = String(Math.round(percent));
      this.#slider.setAttribute('aria-valuetext', share(percent));
      this.#slider.style.setProperty('--at', `${Math.round(percent)}%`);
    }
    if (!this.#touched) this.#number.value = String(Number(percent.toFixed(4)));
  }

  #moved(from) {
    const value = Number(from.value);
    if (from.value === '' || !(value >= 0 && value <= 100)) {
      this.#say('a share is a number from 0 to 100', true);
      return;
    }
    const percent = Number(value.toFixed(4));
    if (from === this.#slider) this.#number.value = from.value;
    else this.#slider.value = String(Math.round(percent));
    this.#slider.style.setProperty('--at', `${Math.round(percent)}%`);
    this.#slider.setAttribute('aria-valuetext', share(percent));
    this.#slider.dataset.moving = 'yes';
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      delete this.#slider.dataset.moving;
      this.#touched = false;
      if (percent !== this.#mirror.percent) void this.#change({ percent });
    }, restMs);
  }

  async #change(change) {
    const { route, to } = this.#mirror;
    const pending = {};
    this.#pending = pending;
    this.element.classList.add('busy');
    this.#show({ ...this.#mirror, ...change });
    this.#say('waiting for every thread …', false);
    try {
      const path = `api/routes/${encodeURIComponent(route)}/mirrors/${encodeURIComponent(to)}`;
      const { generation } = await send('PATCH', path, change);
      if (this.#pending !== pending) return;
      this.#mirror = { ...this.#mirror, ...change };
      const what = change.percent === undefined ? (change.enabled ? 'on' : 'off') : share(change.percent);
      this.#say(`${what}: every thread has taken it, as generation ${count(generation)}`, false);
      this.#saidTimer = setTimeout(() => this.#say('', false), saidMs);
    } catch (error) {
      if (this.#pending !== pending) return;
      this.#say(`not changed: ${error.message}`, true);
    }
    this.#pending = null;
    this.element.classList.remove('busy');
    this.#show(this.#mirror);
  }

  #say(text, bad) {
    clearTimeout(this.#saidTimer);
    setText(this.#said, text);
    this.#said.classList.toggle('bad', bad);
  }
}

/** The accounting law as two bars: eligible = sent + dropped, sent = completed + failed + in flight. */
class Account {
  #rows = [new Bar('eligible'), new Bar('sent')];
  element = el('div', { className: 'account' }, ...this.#rows.map(({ element }) => element));

  update({ eligible, sent, dropped, completed, failed, inFlight, sink }) {
    this.#rows[0].update(eligible, [
      ['sent', sent, 'good'],
      ...Object.entries(dropped).map(([reason, n]) => [`dropped: ${reason}`, n, 'bad']),
    ]);
    this.#rows[1].update(sent, [
      [sink ? 'kept' : 'completed', completed, 'good'],
      ...Object.entries(failed).map(([reason, n]) => [`failed: ${reason}`, n, 'bad']),
      ['in flight', inFlight, 'open'],
    ]);
  }
}

class Bar {
  #name;
  #total = el('span', { className: 'total' });
  #bar = el('div', { className: 'bar', 'aria-hidden': 'true' });
  #parts = el('p', { className: 'parts' });
  element;

  constructor(name) {
    this.#name = name;
    this.element = el('div', { className: 'account-row' }, this.#total, this.#bar, this.#parts);
  }

  update(total, parts) {
    setText(this.#total, `${count(total)} ${this.#name}`);
    const shown = parts.filter(([, n], i) => i === 0 || n > 0);
    this.#bar.replaceChildren(
      ...shown.map(([, n, className]) => {
        const part = el('span', { className });
        part.style.flexGrow = String(n);
        return part;
      }),
    );
    this.#parts.replaceChildren(
      ...shown.map(([label, n, className]) =>
        el('span', { className }, el('b', { textContent: count(n) }), ` ${label}`),
      ),
    );
  }
}

function facts({ pairedDeltaUs, compare, queueUs, to, primary, kept }) {
  const list = [];
  if (kept !== null) {
    list.push(['kept', bytes(kept.bytes)]);
    if (kept.segments > 0) list.push(['files', count(kept.segments)]);
    if (kept.lag !== null) list.push(['not taken yet', plural(kept.lag, 'message')]);
  }
  if (pairedDeltaUs.count > 0) {
    list.push(
      [`${to} less ${primary}, p50`, difference(pairedDeltaUs.p50)],
      ['p99', difference(pairedDeltaUs.p99)],
    );
  }
  if (compare.paired > 0) {
    list.push([
      'other status',
      `${percent(compare.statusDifferent / compare.paired)} of ${count(compare.paired)} pairs`,
    ]);
    list.push(['different', percent(compare.different / compare.paired)]);
  }
  list.push(['in the ring, p99', duration(queueUs.p99)]);
  return list;
}

/**
 * What holds a mirror back: its breakers, the guard over the primary, and a shadow that does not take what it
 * gets.
 */
function states({ breaker, heldBackPercent, heldBytes, to, kept }) {
  const chips = [];
  if (kept?.trouble) chips.push({ text: `stopped: ${kept.trouble}`, bad: true });
  if (breaker?.open > 0) chips.push({ text: `breaker open on ${plural(breaker.open, 'thread')}`, bad: true });
  else if (breaker?.opened > 0)
    chips.push({ text: `breaker closed, opened ${plural(breaker.opened, 'time')}`, bad: false });
  if (heldBackPercent > 0) {
    chips.push({
      text: `guard holds back ${share(heldBackPercent)} because the primary got worse`,
      bad: true,
    });
  }
  if (heldBytes > 0) chips.push({ text: `${bytes(heldBytes)} wait for ${to}`, bad: false });
  return chips;
}

function plural(n, word) {
  return `${count(n)} ${word}${n === 1 ? '' : 's'}`;
}

export function badge(name, role) {
  return el(
    'span',
    { className: `badge ${colourClass({ name, role })}` },
    el('i', { className: 'dot' }),
    el('bdi', { textContent: name }),
  );
}
