/** What differs from the configuration: each live change with who made it, when, and what ends it. */
import { send } from './api.js';
import { el, Keyed, setText } from './dom.js';
import { clock } from './format.js';

export class LiveChangesList {
  #panel;
  #note = el('p', { className: 'muted' });
  #list = el('ul', { className: 'live-changes' });
  #items = new Keyed(this.#list);
  #onChange;

  /** `onChange` is called after a change was ended here. */
  constructor(panel, onChange) {
    this.#panel = panel;
    this.#onChange = onChange;
    const head = el('h2', { id: 'live-changes-title', textContent: 'Live changes' });
    panel.append(el('div', { className: 'head' }, head, this.#note), this.#list);
  }

  /** `status` is the answer of `api/status`. */
  update({ live, state }) {
    const hidden = live.length === 0;
    if (this.#panel.hidden !== hidden) this.#panel.hidden = hidden;
    setText(this.#note, noteOf(state));
    this.#items.update(
      live,
      ({ what, route, to }) => [what, route, to].join('\n'),
      () => new Item(this.#onChange),
    );
  }
}

function noteOf({ keptIn, problem, unshared }) {
  if (unshared > 0) return `${unshared} not shared with other instances yet`;
  if (problem !== null) return problem;
  return keptIn === null ? 'lost when umbra ends' : 'kept over a restart';
}

class Item {
  #text = el('span');
  #by = el('span', { className: 'muted' });
  #end = el('button', { type: 'button', className: 'link', textContent: 'As in the configuration' });
  #said = el('span', { className: 'said', role: 'status' });
  #entry;
  element = el('li', {}, this.#text, this.#by, this.#end, this.#said);

  constructor(onChange) {
    this.#end.addEventListener('click', () => void this.#reset(onChange));
  }

  update(entry) {
    this.#entry = entry;
    const text = textOf(entry);
    setText(this.#text, text);
    setText(this.#by, ` ${entry.by}, ${clock(Date.parse(entry.at))} `);
    this.#end.setAttribute('aria-label', `As in the configuration: ${text}`);
    this.#end.hidden = pathOf(entry) === null;
  }

  async #reset(onChange) {
    this.#end.disabled = true;
    try {
      await send('PATCH', pathOf(this.#entry), { reset: true });
      onChange();
    } catch (error) {
      setText(this.#said, ` not changed: ${error.message}`);
    }
    this.#end.disabled = false;
  }
}

function textOf({ what, route, to, enabled, percent, file, weights, heldBackPercent }) {
  if (what === 'allMirrors') return `All mirrors are ${onOff(enabled)}`;
  if (what === 'heldBack')
    return `${route} to ${to}: the guard holds ${heldBackPercent} % of the copies back`;
  if (what === 'weights') return `${route} is answered by ${weightsText(weights)}, not ${weightsText(file)}`;
  const now = [
    ...(enabled === undefined ? [] : [onOff(enabled)]),
    ...(percent === undefined ? [] : [`${percent} %`]),
  ];
  if (file === null) return `${[`${route} to ${to}: added`, ...now].join(', ')}`;
  const before = [
    ...(enabled === undefined ? [] : [onOff(file.enabled)]),
    ...(percent === undefined ? [] : [`${file.percent} %`]),
  ];
  return `${route} to ${to}: ${now.join(', ')}, not ${before.join(', ')}`;
}

/** Where a change is ended; null: it ends by itself. */
function pathOf({ what, route, to }) {
  if (what === 'allMirrors') return 'api/mirrors';
  if (what === 'weights') return `api/routes/${encodeURIComponent(route)}`;
  if (what === 'mirror') return `api/routes/${encodeURIComponent(route)}/mirrors/${encodeURIComponent(to)}`;
  return null;
}

function onOff(enabled) {
  return enabled ? 'on' : 'off';
}

function weightsText(weights) {
  return Object.entries(weights)
    .map(([version, weight]) => `${version} ${weight}`)
    .join(', ');
}
