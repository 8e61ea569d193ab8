/**
 * Panels of one route that other parts of umbra bring: the slot `#route-panels`. They are shown on a route's
 * own page (`#/routes/NAME`), and on the first page of an umbra with a single route. To add one, write a
 * module of its own and list it here:
 *
 *   export const weightsPanel = {
 *     id: 'weights',                       // unique; the section's id is `route-weights`
 *     title: 'Weights',
 *     make(place, route) {               // `place` is an empty element, `route` the name
 *       return {
 *         update(view) { … },              // each second: see `viewOf`; `view.routes[0]` is the route
 *         close() { … },                   // optional, when another route is shown
 *       };
 *     },
 *   };
 *
 * `update` returns false to hide the panel, as where the route has nothing to show in it. Text goes into
 * elements through `el` of dom.js alone. Changes go through `send` of api.js.
 */
import { el } from './dom.js';
import { rolloutPanel } from './rollout.js';
import { weightsPanel } from './weights.js';

const panels = [rolloutPanel, weightsPanel];

export class RoutePanels {
  #place;
  #route = null;
  #shown = [];

  constructor(place) {
    this.#place = place;
  }

  /** `route` is null where no single route is shown. */
  draw(view, route) {
    if (route !== this.#route) this.#show(route);
    for (const { section, panel } of this.#shown) section.hidden = panel.update(view) === false;
  }

  #show(route) {
    for (const { panel } of this.#shown) panel.close?.();
    this.#route = route;
    this.#shown = route === null ? [] : panels.map((one) => opened(one, route));
    this.#place.replaceChildren(...this.#shown.map(({ section }) => section));
  }
}

function opened({ id, title, make }, route) {
  const heading = el('h2', { id: `route-${id}-title`, textContent: title });
  const body = el('div');
  const section = el(
    'section',
    { id: `route-${id}`, className: 'panel', 'aria-labelledby': heading.id },
    el('div', { className: 'head' }, heading),
    body,
  );
  return { section, panel: make(body, route) };
}
