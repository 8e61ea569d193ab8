/**
 * Each version in each role keeps one colour on the whole page: primaries are of the light, shadows of the
 * shade.
 */
import { seriesKey } from './model.js';

const shades = 4;
const given = new Map();
const used = { primary: 0, shadow: 0, sink: 0 };

/** The class that sets `--c`. */
export function colourClass(series) {
  const key = seriesKey(series);
  if (!given.has(key)) given.set(key, `c-${series.role}-${used[series.role]++ % shades}`);
  return given.get(key);
}

/** The colour as CSS writes it, for canvases. */
export function colour(series) {
  const probe = document.createElement('i');
  probe.className = colourClass(series);
  probe.hidden = true;
  document.body.append(probe);
  const value = getComputedStyle(probe).getPropertyValue('--c').trim();
  probe.remove();
  return value;
}

export function cssValue(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
