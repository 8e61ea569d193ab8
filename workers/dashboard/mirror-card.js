/** One mirror as a card: its controls, what became of its copies, and how they compare. */
import { badge, routeLink } from './badge.js';
import { colourClass } from './colours.js';
import { el, setText } from './dom.js';
import { count } from './format.js';
import { MirrorControl } from './mirror-control.js';
import { chipsOf, factsOf } from './mirror-figures.js';
import { VerdictView } from './verdict.js';

let cards = 0;

export class MirrorCard {
  #id = `mirror-${++cards}`;
  #control;
  #states = el('ul', { className: 'chips' });
  #account = new Account();
  #facts = el('dl', { className: 'pairs' });
  #verdict = new VerdictView();
  element;

  constructor(mirror) {
    const { route, to, primary, sink } = mirror;
    this.#control = new MirrorControl(mirror, (name, isOn) => this.element.classList.toggle(name, isOn));
    const title = el('h3', { id: this.#id });
    title.append(
      badge(primary, 'primary'),
      el('span', { className: 'arrow', textContent: '→' }),
      badge(to, sink ? 'sink' : 'shadow'),
      el('span', { className: 'muted route' }, 'route ', routeLink(route)),
    );
    this.element = el(
      'article',
      {
        className: `mirror ${colourClass({ name: to, role: sink ? 'sink' : 'shadow' })}`,
        'aria-labelledby': this.#id,
        'data-version': to,
      },
      el('header', {}, title, this.#control.switch),
      el('div', { className: 'share' }, this.#control.slider, this.#control.shareField()),
      this.#control.said,
      this.#states,
      this.#verdict.element,
      this.#account.element,
      this.#facts,
    );
  }

  update(mirror) {
    this.#control.update(mirror);
    this.element.classList.toggle('dead', mirror.state.level === 'dead');
    this.#states.replaceChildren(
      ...chipsOf(mirror).map(({ text, bad }) => el('li', { textContent: text, className: bad ? 'bad' : '' })),
    );
    this.#states.hidden = this.#states.children.length === 0;
    this.#verdict.update(mirror.verdict ?? null);
    this.#account.update(mirror);
    this.#facts.replaceChildren(
      ...factsOf(mirror).map(({ name, value, title, bad }) =>
        el(
          'div',
          { title },
          el('dt', { textContent: name }),
          el('dd', { textContent: value, className: bad ? 'bad' : '' }),
        ),
      ),
    );
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
