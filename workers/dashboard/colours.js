/**
 * Each version has one colour on the page and in reports, by a hash of its name (core/report/palette.ts has
 * the same rule, and says more). Roles differ by lines and marks: a primary's are solid, a shadow's
 * dashed, those of a recording or a stream square.
 */

const size = 12;
let places = new Map();

/**
 * Gives colours to the names, and returns whether a name that had one has another now. `sinks` come after the
 * versions, so that they change nothing for them.
 */
export function giveColours(names, sinks) {
  const given = placesIn(size, names);
  for (const [name, place] of placesIn(size, sinks)) if (!given.has(name)) given.set(name, place);
  const isOther = [...places].some(([name, place]) => given.has(name) && given.get(name) !== place);
  places = given;
  return isOther;
}

/** The class that sets `--c`. */
export function colourClass({ name }) {
  return `c-${places.get(name) ?? hashOf(name) % size}`;
}

/** Gives elements that stay (`data-version`) the colours that are in force now. */
export function recolour() {
  for (const element of document.querySelectorAll('[data-version]')) {
    for (const name of [...element.classList]) if (/^c-\d+$/.test(name)) element.classList.remove(name);
    element.classList.add(colourClass({ name: element.dataset.version }));
  }
}

/** The colour as CSS writes it, for canvases. */
export function colour(series) {
  return cssValue(`--${colourClass(series)}`);
}

export function cssValue(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** The place of each name in a palette of `size` colours. */
export function placesIn(size, names) {
  const found = new Map();
  const uses = new Array(size).fill(0);
  for (const name of [...new Set(names)].sort()) {
    const fewest = Math.min(...uses);
    let place = hashOf(name) % size;
    while (uses[place] > fewest) place = (place + 1) % size;
    uses[place]++;
    found.set(name, place);
  }
  return found;
}

/** FNV-1a over the UTF-8 bytes. */
function hashOf(text) {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
