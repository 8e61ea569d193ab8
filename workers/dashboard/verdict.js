/**
 * The running verdict of one mirror: its outcome in one word, and when it is opened each check in a sentence.
 */
import { el, setText } from './dom.js';

/** The outcomes, in the order in which a person wants to read their checks. */
const outcomes = ['fail', 'undecided', 'pass'];

export class VerdictView {
  #outcome = el('b');
  #why = el('span', { className: 'muted' });
  #checks = el('ul');
  element = el(
    'details',
    { className: 'verdict' },
    el('summary', {}, 'verdict so far: ', this.#outcome, ' ', this.#why),
    this.#checks,
  );

  /** `verdict` is null for a mirror that is not judged. */
  update(verdict) {
    this.element.hidden = verdict === null;
    if (verdict === null) return;
    const { outcome, checks, endpoints, examples, notes, primary, shadow } = verdict;
    setText(this.#outcome, outcome);
    this.#outcome.className = outcome;
    const open = checks.filter((check) => check.outcome === outcome && outcome !== 'pass');
    setText(this.#why, open.length === 0 ? '' : `(${open.map(({ name }) => name).join(', ')})`);
    // Sentences change every second; nobody sees them while they are closed.
    if (!this.element.open) return;
    const sorted = checks.toSorted((a, b) => outcomes.indexOf(a.outcome) - outcomes.indexOf(b.outcome));
    this.#checks.replaceChildren(
      ...sorted.map((check) => line(check.outcome, `${check.name}: ${check.text}`, check.outcome)),
      ...endpoints.map(({ check, endpoint, text }) => line('endpoint', `${endpoint} (${check}): ${text}`)),
      ...examples.map((pair) =>
        line(
          'example',
          `${pair.request} (id ${pair.id}), ${pair.place}: ${primary} ${pair.primary} | ${shadow} ${pair.shadow}`,
        ),
      ),
      ...notes.map((note) => line('note', note)),
    );
  }
}

function line(head, text, className = 'muted') {
  return el('li', {}, el('b', { textContent: head, className }), el('span', { textContent: text }));
}
