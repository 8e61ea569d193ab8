/**
 * What changes a mirror: its switch and its share, as a slider and as a number, and what came of a change.
 */
import { send } from './api.js';
import { el, setText } from './dom.js';
import { count, share } from './format.js';

/** A slider that moves on its own (a held arrow key) is sent when it rests. */
const restMs = 350;
/** After a change is in force, how long the page says so. */
const saidMs = 6000;

export class MirrorControl {
  switch = el('button', { type: 'button', className: 'switch', role: 'switch', 'aria-checked': 'false' });
  slider = el('input', { type: 'range', min: '0', max: '100', step: '1' });
  number = el('input', { type: 'number', min: '0', max: '100', step: 'any', inputMode: 'decimal' });
  said = el('p', { className: 'said', role: 'status' });
  #mirror;
  #mark;
  #timer = 0;
  #saidTimer = 0;
  /** What was asked for and is not in force yet, so that figures from before do not move the controls. */
  #pending = null;
  #touched = false;

  /** `mark(name, isOn)` sets or clears the class `off` or `busy` of the element around the controls. */
  constructor(mirror, mark) {
    this.#mirror = mirror;
    this.#mark = mark;
    const { route, to } = mirror;
    this.switch.setAttribute('aria-label', `Mirror of route ${route} to ${to}`);
    this.slider.setAttribute('aria-label', `Share of route ${route} that is copied to ${to}, in per cent`);
    this.number.setAttribute(
      'aria-label',
      `Share of route ${route} to ${to} as a number, in steps of 0.0001`,
    );
    this.switch.addEventListener('click', () => {
      void this.#change({ enabled: this.switch.getAttribute('aria-checked') !== 'true' });
    });
    this.slider.addEventListener('input', () => this.#moved(this.slider));
    this.slider.addEventListener('change', () => this.#moved(this.slider));
    this.number.addEventListener('input', () => {
      this.#touched = true;
    });
    this.number.addEventListener('change', () => this.#moved(this.number));
    this.number.addEventListener('blur', () => {
      this.#touched = false;
    });
  }

  /** The number with its unit. */
  shareField() {
    return el('span', { className: 'number' }, this.number, el('span', { textContent: '%' }));
  }

  update(mirror) {
    this.#mirror = mirror;
    if (this.#pending === null) this.#show(mirror);
  }

  #show({ enabled, percent }) {
    this.switch.setAttribute('aria-checked', String(enabled));
    this.#mark('off', !enabled);
    if (document.activeElement !== this.slider || this.slider.dataset.moving !== 'yes') {
      this.slider.value = String(Math.round(percent));
      this.slider.setAttribute('aria-valuetext', share(percent));
      this.slider.style.setProperty('--at', `${Math.round(percent)}%`);
    }
    const text = String(Number(percent.toFixed(4)));
    if (!this.#touched && this.number.value !== text) this.number.value = text;
  }

  #moved(from) {
    const value = Number(from.value);
    if (from.value === '' || !(value >= 0 && value <= 100)) {
      this.#say('a share is a number from 0 to 100', true);
      return;
    }
    const percent = Number(value.toFixed(4));
    if (from === this.slider) this.number.value = from.value;
    else this.slider.value = String(Math.round(percent));
    this.slider.style.setProperty('--at', `${Math.round(percent)}%`);
    this.slider.setAttribute('aria-valuetext', share(percent));
    this.slider.dataset.moving = 'yes';
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      delete this.slider.dataset.moving;
      this.#touched = false;
      if (percent !== this.#mirror.percent) void this.#change({ percent });
    }, restMs);
  }

  async #change(change) {
    const { route, to } = this.#mirror;
    const pending = {};
    this.#pending = pending;
    this.#mark('busy', true);
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
    this.#mark('busy', false);
    this.#show(this.#mirror);
  }

  #say(text, bad) {
    clearTimeout(this.#saidTimer);
    setText(this.said, text);
    this.said.classList.toggle('bad', bad);
  }
}
