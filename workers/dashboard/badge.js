/** The name of a version or a sink with the dot of its colour. */
import { colourClass } from './colours.js';
import { el } from './dom.js';

export function badge(name, role) {
  return el(
    'span',
    { className: `badge ${colourClass({ name })} b-${role}`, 'data-version': name },
    el('i', { className: 'dot' }),
    el('bdi', { textContent: name }),
  );
}

/** A link to a route's own page. */
export function routeLink(name, text = name) {
  return el('a', {
    className: 'route-link',
    href: `#/routes/${encodeURIComponent(name)}`,
    textContent: text,
  });
}
