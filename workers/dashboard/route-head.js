/** The head of a route's own page: its name, what it matches, who answers, and its state. */
import { badge } from './badge.js';
import { byId, el, setText } from './dom.js';
import { rate, share } from './format.js';

export class RouteHead {
  #shown = '';

  draw({ routes: [route], route: name }) {
    setText(byId('route-name'), name);
    byId('route-gone').hidden = route !== undefined;
    const facts = route === undefined ? [] : factsOf(route);
    const shown = JSON.stringify(facts.map(({ name, text }) => [name, text]));
    if (shown === this.#shown) return;
    this.#shown = shown;
    byId('route-facts').replaceChildren(
      ...facts.map(({ name, text, parts = [text] }) =>
        el('div', {}, el('dt', { textContent: name }), el('dd', {}, ...parts)),
      ),
    );
  }
}

function factsOf({ config, primaries, rate: perSecond }) {
  const facts = [];
  if (config !== null) facts.push({ name: 'matches', text: matchText(config.match ?? {}) });
  if (primaries.length > 0) {
    const several = primaries.length > 1;
    facts.push({
      name: 'answered by',
      text: primaries.map(({ name, weight }) => `${name} ${weight}`).join(),
      parts: primaries.flatMap(({ name, weight }) => [
        badge(name, 'primary'),
        ...(several ? [el('span', { className: 'muted', textContent: ` ${share(weight)} ` })] : []),
      ]),
    });
  }
  if (perSecond !== null) facts.push({ name: 'requests', text: rate(perSecond) });
  if (config?.guard) facts.push({ name: 'guard', text: `over ${config.guard.window}` });
  if (config?.timeout) facts.push({ name: 'timeout', text: String(config.timeout) });
  return facts;
}

/** `GET /reviews… on reviews.example.com`, as far as the configuration says it. */
function matchText(match) {
  const parts = Object.entries(match).map(([key, value]) => `${key} ${plain(value)}`);
  return parts.length === 0 ? 'every request' : parts.join(', ');
}

function plain(value) {
  if (Array.isArray(value)) return value.map(plain).join(' or ');
  if (value !== null && typeof value === 'object')
    return Object.entries(value)
      .map(([key, inner]) => `${key} ${plain(inner)}`)
      .join(', ');
  return String(value);
}
