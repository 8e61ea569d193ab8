/** The panel of a route that sets which versions answer it, by weight. */
import { send } from './api.js';
import { badge } from './badge.js';
import { el, Keyed, setText } from './dom.js';
import { count, share } from './format.js';

/** After a change is in force, how long the page says so. */
const saidMs = 6000;
const weightMost = 1_000_000;
/** The most versions of the configuration that are all offered. */
const versionsMost = 8;

export const weightsPanel = {
  id: 'weights',
  title: 'Who answers',
  make: (place, route) => new Weights(place, route),
};

class Weights {
  #route;
  #form = el('form', { className: 'weights', autocomplete: 'off' });
  #rows = el('div', { className: 'weight-rows' });
  #fields = new Keyed(this.#rows);
  #set = el('button', { type: 'submit', textContent: 'Set weights' });
  #reset = el('button', { type: 'button', className: 'link', textContent: 'As in the configuration' });
  #said = el('p', { className: 'said', role: 'status' });
  #saidTimer = 0;
  #generation = -1;
  /** Versions of the configuration, any of which may answer. */
  #versions = [];
  #busy = false;

  constructor(place, route) {
    this.#route = route;
    this.#form.append(this.#rows, el('div', { className: 'row' }, this.#set, this.#reset), this.#said);
    place.append(this.#form);
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#send();
    });
    this.#form.addEventListener('input', () => this.#showShares());
    this.#reset.addEventListener('click', () => void this.#change({ reset: true }));
  }

  update({ routes: [route], snapshot }) {
    const { generation } = snapshot.stats;
    if (generation !== this.#generation) void this.#askVersions(generation);
    if (route === undefined || route.weights.size === 0) return false;
    // Of many versions, only those of the route are likely to answer it.
    const shadows = route.mirrors.filter(({ sink }) => !sink).map(({ to }) => to);
    const others = this.#versions.length <= versionsMost ? this.#versions : shadows;
    const names = [...new Set([...route.weights.keys(), ...others])];
    const rows = names.map((name) => ({ name, weight: route.weights.get(name) ?? 0 }));
    this.#fields.update(
      rows,
      ({ name }) => name,
      ({ name }) => new Field(name, this.#route),
    );
    this.#showShares();
    return names.length > 1;
  }

  close() {
    clearTimeout(this.#saidTimer);
  }

  async #askVersions(generation) {
    this.#generation = generation;
    try {
      const { versions } = await send('GET', 'api/config');
      this.#versions = Object.keys(versions ?? {});
    } catch {
      this.#generation = -1;
    }
  }

  #showShares() {
    const fields = [...this.#fields.kept.values()];
    const sum = fields.reduce((sum, { weight }) => sum + weight, 0);
    const isWrong = !(sum > 0) || !fields.every(({ isValid }) => isValid);
    for (const field of fields) field.showShare(isWrong ? 0 : sum);
    this.#set.disabled = this.#busy || isWrong || !fields.some(({ isTouched }) => isTouched);
    this.#reset.disabled = this.#busy;
  }

  #send() {
    const fields = [...this.#fields.kept];
    return this.#change({ primary: Object.fromEntries(fields.map(([name, { weight }]) => [name, weight])) });
  }

  async #change(change) {
    this.#busy = true;
    this.#showShares();
    this.#say('waiting for every thread …', false);
    try {
      const path = `api/routes/${encodeURIComponent(this.#route)}`;
      const { generation, warnings = [] } = await send('PATCH', path, change);
      for (const field of this.#fields.kept.values()) field.release();
      const note = warnings.length === 0 ? '' : `. Note: ${warnings.join('; ')}`;
      this.#say(`every thread has taken it, as generation ${count(generation)}${note}`, false);
      this.#saidTimer = setTimeout(() => this.#say('', false), saidMs);
    } catch (error) {
      this.#say(`not changed: ${error.message}`, true);
    }
    this.#busy = false;
    this.#showShares();
  }

  #say(text, bad) {
    clearTimeout(this.#saidTimer);
    setText(this.#said, text);
    this.#said.classList.toggle('bad', bad);
  }
}

/** The weight of one version. */
class Field {
  #input = el('input', {
    type: 'number',
    min: '0',
    max: String(weightMost),
    step: 'any',
    inputMode: 'decimal',
  });
  #share = el('span', { className: 'muted' });
  isTouched = false;
  element;

  constructor(name, route) {
    this.#input.setAttribute('aria-label', `Weight of ${name} on route ${route}`);
    this.#input.addEventListener('input', () => {
      this.isTouched = true;
    });
    this.element = el('p', { className: 'weight' }, badge(name, 'primary'), this.#input, this.#share);
  }

  get weight() {
    return Number(this.#input.value);
  }

  get isValid() {
    return this.#input.value !== '' && this.weight >= 0 && this.weight <= weightMost;
  }

  release() {
    this.isTouched = false;
  }

  update({ weight }) {
    const text = String(weight);
    if (!this.isTouched && this.#input.value !== text) this.#input.value = text;
  }

  showShare(sum) {
    setText(this.#share, sum > 0 ? share(Number(((this.weight / sum) * 100).toFixed(2))) : '');
  }
}
