/** The panel of a route's rollout: its steps, the running verdict, and what a person may do. */
import { send } from './api.js';
import { el, setText } from './dom.js';
import { share, span } from './format.js';

const lookMs = 1000;
/** How long a button that can't be undone waits for its second press. */
const sureMs = 4000;

export const rolloutPanel = {
  id: 'rollout',
  title: 'Rollout',
  make: (place, route) => new Rollout(place, route),
};

/** The commands, the states in which each makes sense, and whether it asks twice. */
const commands = [
  { name: 'pause', text: 'Pause', states: ['running', 'held', 'watching'], twice: false },
  { name: 'resume', text: 'Resume', states: ['paused', 'held'], twice: false },
  { name: 'promote', text: 'Next step now', states: ['running', 'held', 'paused', 'watching'], twice: true },
  { name: 'abort', text: 'Abort', states: ['running', 'held', 'paused', 'watching'], twice: true },
];

const stateWords = {
  running: 'running',
  held: 'held: not decided in the longest time of the step',
  paused: 'paused',
  watching: 'everything is released; the old version still gets copies',
  'rolling-back': 'going back',
  'rolled-back': 'rolled back',
  released: 'released',
};

class Rollout {
  #path;
  #body = null;
  #timer = 0;
  #closed = false;
  #head = el('p', {});
  #steps = el('ol', { className: 'steps' });
  #reason = el('p', { className: 'muted' });
  #checks = el('ul', { className: 'checks' });
  #buttons = el('div', { className: 'row' });
  #said = el('p', { className: 'said', role: 'status' });

  constructor(place, route) {
    this.#path = `api/rollouts/${encodeURIComponent(route)}`;
    for (const command of commands) this.#buttons.append(this.#button(command));
    place.append(this.#head, this.#steps, this.#reason, this.#checks, this.#buttons, this.#said);
    void this.#look();
  }

  /** What is shown comes from its own request; a route without a rollout shows nothing. */
  update() {
    return this.#body !== null;
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #look() {
    try {
      const { rollouts } = await send('GET', 'api/rollouts');
      const own = rollouts.find(({ route }) => `api/rollouts/${encodeURIComponent(route)}` === this.#path);
      this.#show(own ?? null);
    } catch {
      // What was shown stays: the banner says that there is no connection.
    }
    if (!this.#closed) this.#timer = setTimeout(() => void this.#look(), lookMs);
  }

  #show(body) {
    this.#body = body;
    if (body === null) return;
    const { from, to, state, percent, steps, step, reason, example, verdict, elapsedS } = body;
    const isOver = state === 'released' || state === 'rolled-back';
    const time = isOver ? '' : `, for ${span(elapsedS)}`;
    setText(this.#head, `${from} → ${to}: ${stateWords[state]}${time}; ${to} answers ${share(percent)}`);
    this.#head.classList.toggle('bad', state === 'rolled-back' || state === 'held');
    this.#steps.replaceChildren(...steps.map((one, at) => stepItem(one, at + 1, step, state)));
    setText(this.#reason, example === '' ? reason : `${reason} (example: ${example})`);
    this.#checks.replaceChildren(...verdict.checks.map(checkItem));
    for (const button of this.#buttons.children) button.hidden = !button.states.includes(state);
  }

  #button({ name, text, states, twice }) {
    const button = el('button', { type: 'button', textContent: text, hidden: true });
    button.states = states;
    let sureTimer = 0;
    button.addEventListener('click', () => {
      if (twice && sureTimer === 0) {
        setText(button, `${text}: sure?`);
        sureTimer = setTimeout(() => {
          sureTimer = 0;
          setText(button, text);
        }, sureMs);
        return;
      }
      clearTimeout(sureTimer);
      sureTimer = 0;
      setText(button, text);
      void this.#command(name);
    });
    return button;
  }

  async #command(name) {
    setText(this.#said, 'waiting for every thread …');
    try {
      this.#show(await send('POST', `${this.#path}/${name}`, {}));
      setText(this.#said, '');
    } catch (error) {
      setText(this.#said, `not done: ${error.message}`);
    }
  }
}

function stepItem({ kind, percent }, at, current, state) {
  const isDone = state === 'released' || at < current;
  const isNow = at === current && state !== 'released';
  const name = kind === 'mirror' ? `mirror ${share(percent)}` : share(percent);
  const item = el('li', { textContent: name, className: isDone ? 'done' : isNow ? 'now' : '' });
  if (isNow) item.setAttribute('aria-current', 'step');
  return item;
}

function checkItem({ name, of, outcome, text }) {
  const where = of === 'pairs' ? ' (pairs)' : '';
  return el(
    'li',
    {},
    el('strong', { textContent: outcome, className: outcome === 'fail' ? 'bad' : '' }),
    ` ${name}${where}: ${text}`,
  );
}
