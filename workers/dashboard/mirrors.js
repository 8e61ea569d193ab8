/** The mirrors of a view: cards while they are few, rows with search, sort and filter from five on. */
import { el, Keyed } from './dom.js';
import { MirrorCard } from './mirror-card.js';
import { MirrorRows } from './mirror-rows.js';
import { mirrorKey } from './model.js';

const cardsMost = 4;

export class Mirrors {
  #cards;
  #cardsPlace = el('div', { className: 'mirrors' });
  #rows = new MirrorRows();
  #empty = el('p', {
    className: 'empty',
    textContent: 'No route has a mirror. Add one under `mirrors` in the configuration.',
  });

  constructor(place) {
    this.#cards = new Keyed(this.#cardsPlace);
    place.append(this.#empty, this.#cardsPlace, this.#rows.element);
  }

  /** Shows the mirrors that fail alone. */
  showTroubled() {
    this.#rows.showTroubled();
  }

  /** Draws in pieces, so that a hundred rows do not hold up a frame. */
  *draw({ mirrors }) {
    const isFew = mirrors.length <= cardsMost;
    this.#empty.hidden = mirrors.length > 0;
    this.#rows.element.hidden = isFew;
    this.#cardsPlace.hidden = !isFew;
    this.#cards.update(isFew ? mirrors : [], mirrorKey, (mirror) => new MirrorCard(mirror));
    yield* this.#rows.draw(isFew ? [] : mirrors);
  }
}
