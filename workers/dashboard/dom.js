/** The only way that this page makes elements: text goes in as text, whatever it says. */

const SVG = 'http://www.w3.org/2000/svg';

/**
 * An HTML element. Keys of `set` are properties, or attributes where they have a dash or are `role` or `for`.
 */
export function el(tag, set = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(set)) {
    if (key.includes('-') || key === 'role' || key === 'for' || key === 'scope')
      element.setAttribute(key, value);
    else element[key] = value;
  }
  element.append(...children);
  return element;
}

/** An SVG element; keys of `set` are attributes. */
export function svg(tag, set = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(set)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}

/** What scrolls sideways where there is no room, with the keyboard too. */
export function scroller(label, ...children) {
  return el('div', { className: 'scroll', tabIndex: 0, role: 'region', 'aria-label': label }, ...children);
}

/** Sets the text only where it changes, so that selections and screen readers are left alone. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function byId(id) {
  return document.getElementById(id);
}

/** A group of radio buttons that looks like one control. Calls `onChoice` with the value chosen. */
export function segments(fieldset, name, choices, chosen, onChoice) {
  for (const [value, label] of choices) {
    const input = el('input', { type: 'radio', name, value: String(value), checked: value === chosen });
    input.addEventListener('change', () => onChoice(value));
    fieldset.append(el('label', {}, input, el('span', { textContent: label })));
  }
}

/**
 * Keeps one element per key in `parent`, in the order of `items`: made once, then updated, removed when gone.
 */
export class Keyed {
  constructor(parent) {
    this.parent = parent;
    this.kept = new Map();
  }

  update(items, keyOf, make) {
    const seen = new Set();
    let place = 0;
    for (const item of items) {
      const key = keyOf(item);
      seen.add(key);
      let view = this.kept.get(key);
      if (view === undefined) {
        view = make(item);
        this.kept.set(key, view);
      }
      if (this.parent.children[place] !== view.element) {
        this.parent.insertBefore(view.element, this.parent.children[place] ?? null);
      }
      place++;
      view.update(item);
    }
    for (const [key, view] of this.kept) {
      if (seen.has(key)) continue;
      view.element.remove();
      this.kept.delete(key);
    }
  }
}
