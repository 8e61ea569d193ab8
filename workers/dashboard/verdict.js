/**
 * The running verdict of one mirror: its outcome in one word, and when it is opened each check in a sentence.
 */
import { el, setText } from './dom.js';

const words = { pass: 'pass', fail: 'fail', undecided: 'undecided' };

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
    setText(this.#outcome, words[outcome]);
    this.#outcome.className = outcome;
    const open = checks.filter((check) => check.outcome === outcome && outcome !== 'pass');
    setText(this.#why, open.length === 0 ? '' : `(${open.map(({ name }) => name).join(', ')})`);
    // Sentences change every second; nobody sees them while they are closed.
    if (!this.element.open) return;
    this.#checks.replaceChildren(
      ...checks.map((check) =>
        el(
          'li',
          {},
          el('b', { textContent: `${check.name} ${words[check.outcome]}`, className: check.outcome }),
          ` ${check.text}`,
        ),
      ),
      ...endpoints.map(({ check, endpoint, text }) =>
        el('li', { textContent: `${check}, endpoint ${endpoint}: ${text}` }),
      ),
      ...examples.map((pair) =>
        el('li', {
          textContent: `example: ${pair.request} (id ${pair.id}), ${pair.place}: ${primary} ${pair.primary} | ${shadow} ${pair.shadow}`,
        }),
      ),
      ...notes.map((note) => el('li', { textContent: note, className: 'muted' })),
    );
  }
}
