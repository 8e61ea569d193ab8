/** What is wrong now, the worst first, each with the way to its route. */
import { badge, routeLink } from './badge.js';
import { el, Keyed, setText } from './dom.js';
import { count } from './format.js';
import { plural } from './mirror-figures.js';
import { levelOf, troublesOf } from './trouble.js';

const itemsShown = 8;

export class Attention {
  #panel;
  #headline = el('h2', { id: 'attention-title' });
  #list = el('ul', { className: 'troubles' });
  #more = el('button', { type: 'button', className: 'link', hidden: true });
  #items = new Keyed(this.#list);

  /** `onMore` is called when a person wants to see all mirrors that fail. */
  constructor(panel, onMore) {
    this.#panel = panel;
    this.#headline.setAttribute('role', 'status');
    panel.append(this.#headline, this.#list, this.#more);
    this.#more.addEventListener('click', onMore);
  }

  draw(view) {
    const troubles = troublesOf(view);
    const bad = troubles.filter(({ level }) => levelOf(level) >= levelOf('failing'));
    const shown = troubles.slice(0, itemsShown);
    const worst = troubles[0]?.level ?? 'ok';
    if (this.#panel.dataset.level !== worst) this.#panel.dataset.level = worst;
    setText(this.#headline, headline(view, troubles, bad));
    this.#items.update(
      shown,
      ({ route, name, role }) => [route, name, role].join('\n'),
      (one) => new Item(one),
    );
    const hidden = troubles.length - shown.length;
    this.#more.hidden = hidden === 0;
    setText(this.#more, `${count(hidden)} more: show all mirrors in trouble`);
  }
}

function headline({ routes, mirrors }, troubles, bad) {
  const all = `${plural(routes.length, 'route')}, ${plural(mirrors.length, 'mirror')}`;
  const clients = bad.filter(({ level }) => level === 'clients').length;
  const others = bad.length - clients;
  if (clients > 0) {
    const rest = others === 0 ? '' : `, and ${plural(others, 'other trouble')} without effect on clients`;
    return `Clients are affected by ${plural(clients, 'version')}${rest}`;
  }
  if (bad.length === 0) return troubles.length === 0 ? `No trouble in ${all}` : `No trouble now in ${all}`;
  const word = bad.length === 1 ? 'One thing needs' : `${count(bad.length)} things need`;
  return `${word} attention; clients are not affected`;
}

class Item {
  #text = el('span', { className: 'trouble-text' });
  element;

  constructor({ route, name, role }) {
    this.element = el(
      'li',
      {},
      el(
        'span',
        { className: 'trouble-name' },
        ...(route === null
          ? []
          : [
              routeLink(route),
              el('span', { className: 'arrow', textContent: role === 'primary' ? ' · ' : ' → ' }),
            ]),
        role === null ? el('bdi', { textContent: name }) : badge(name, role),
      ),
      this.#text,
    );
  }

  update({ level, text }) {
    if (this.element.dataset.level !== level) this.element.dataset.level = level;
    setText(this.#text, text);
  }
}
