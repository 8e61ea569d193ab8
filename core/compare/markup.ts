/**
 * HTML and XML as documents, by a tokenizer that never fails and takes linear time. It does not mend
 * markup as a browser does: both sides are read in the same way, and what differs has a place. Comments
 * are left out, and so is the white space between elements.
 *
 * An element is an object with one member, its name with what sets it apart from its siblings
 * (`<input#q[name].class>`); its attributes are members called `@name`, its children a list.
 */
import { limits } from '../limits.js';
import { DocumentBounds } from './document-bounds.js';
import { type Json, JsonFault } from './json.js';
import type { DocumentForm } from './json-rules.js';

const children = 'children';
const textNode = 'text()';

/** The places of markup: `/html/body/a.more/@href`, and with indexes where they are exact. */
export const markupForm: Omit<DocumentForm, 'texts'> = {
  kind: 'markup',
  root: '',
  step: (key, exact) => {
    if (typeof key === 'number') return exact ? `[${key}]` : '';
    return key === children ? '' : `/${key.replace(/^<|>$/g, '')}`;
  },
};

const emptyElements: ReadonlySet<string> = new Set(
  'area base br col embed hr img input link meta param source track wbr'.split(' '),
);
/** Elements of HTML whose content is text alone. */
const textElements: ReadonlySet<string> = new Set(['script', 'style', 'textarea', 'title']);
/** Elements of HTML that one of their own kind ends. */
const endedByOwnKind: ReadonlySet<string> = new Set('li p dt dd tr td th option'.split(' '));

interface Element {
  readonly name: string;
  readonly items: Json[];
}

/** Throws `JsonFault` past the bounds of documents. */
export function parseMarkup(text: string, isHtml: boolean): Json {
  return new Tokenizer(text, isHtml).all();
}

class Tokenizer {
  readonly #text: string;
  readonly #isHtml: boolean;
  readonly #bounds = new DocumentBounds();
  readonly #open: Element[] = [{ name: '', items: [] }];
  /** The text in lower case, in which the ends of elements of text are found: HTML has no case. */
  readonly #lower: string;
  #at = 0;

  constructor(text: string, isHtml: boolean) {
    this.#text = text;
    this.#isHtml = isHtml;
    this.#lower = isHtml ? text.toLowerCase() : text;
  }

  all(): Json {
    const text = this.#text;
    while (this.#at < text.length) {
      const next = text.indexOf('<', this.#at);
      if (next !== this.#at) this.#addText(next < 0 ? text.length : next);
      else if (text.startsWith('<!--', next)) this.#skipPast('-->', 4);
      else if (text.startsWith('<![CDATA[', next)) this.#cdata();
      else if (text[next + 1] === '!' || text[next + 1] === '?') this.#skipPast('>', 2);
      else if (text[next + 1] === '/') this.#close();
      else if (isNameStart(text.charCodeAt(next + 1))) this.#element();
      else this.#addText(next + 1);
    }
    return this.#open[0].items;
  }

  /** Takes the text up to `end` as a child of the element that is open. */
  #addText(end: number): void {
    const text = this.#text.slice(this.#at, end).replace(/\s+/g, ' ').trim();
    this.#at = end;
    if (text === '') return;
    this.#bounds.value(this.#open.length, end);
    this.#open.at(-1)!.items.push(new Map([[textNode, text]]));
  }

  #skipPast(mark: string, from: number): void {
    const end = this.#text.indexOf(mark, this.#at + from);
    this.#at = end < 0 ? this.#text.length : end + mark.length;
  }

  #cdata(): void {
    this.#at += '<![CDATA['.length;
    const end = this.#text.indexOf(']]>', this.#at);
    this.#addText(end < 0 ? this.#text.length : end);
    this.#at = Math.min(this.#text.length, this.#at + 3);
  }

  #close(): void {
    const end = this.#text.indexOf('>', this.#at);
    const name = this.#named(this.#text.slice(this.#at + 2, end < 0 ? this.#text.length : end).trim());
    this.#at = end < 0 ? this.#text.length : end + 1;
    this.#endElement(name);
  }

  #endElement(name: string): void {
    for (let i = this.#open.length - 1; i > 0; i--) {
      if (this.#open[i].name !== name) continue;
      this.#open.length = i;
      return;
    }
  }

  #element(): void {
    const from = this.#at + 1;
    let end = from;
    while (end < this.#text.length && !isNameEnd(this.#text.charCodeAt(end))) end++;
    const name = this.#named(this.#text.slice(from, end));
    this.#at = end;
    const attributes = this.#attributes();
    const closed = this.#text[this.#at - 2] === '/';
    if (this.#isHtml && endedByOwnKind.has(name) && this.#open.at(-1)!.name === name) this.#endElement(name);
    if (this.#open.length > limits.jsonDepth / 2) throw new JsonFault('too-deep', from);
    this.#bounds.value(this.#open.length, from);
    const items: Json[] = [];
    const content = new Map<string, Json>([...attributes, [children, items]]);
    this.#open.at(-1)!.items.push(new Map([[labelOf(name, attributes), content]]));
    if (closed || (this.#isHtml && emptyElements.has(name))) return;
    this.#open.push({ name, items });
    if (!this.#isHtml || !textElements.has(name)) return;
    const stop = this.#lower.indexOf(`</${name}`, this.#at);
    this.#addText(stop < 0 ? this.#text.length : stop);
  }

  /** Up to and past the `>` of the element. */
  #attributes(): Map<string, Json> {
    const text = this.#text;
    const found = new Map<string, Json>();
    while (this.#at < text.length) {
      const char = text[this.#at];
      if (char === '>') {
        this.#at++;
        return found;
      }
      if (char === '/' || isSpace(text.charCodeAt(this.#at))) {
        this.#at++;
        continue;
      }
      const from = this.#at;
      this.#at++;
      while (this.#at < text.length && !isAttributeEnd(text.charCodeAt(this.#at))) this.#at++;
      const name = `@${this.#named(text.slice(from, this.#at))}`;
      this.#bounds.value(this.#open.length, from);
      const value = this.#attributeValue();
      if (!found.has(name)) found.set(name, value);
    }
    return found;
  }

  #attributeValue(): string {
    const text = this.#text;
    this.#skipSpace();
    if (text[this.#at] !== '=') return '';
    this.#at++;
    this.#skipSpace();
    const quote = text[this.#at];
    if (quote === '"' || quote === "'") {
      const end = text.indexOf(quote, this.#at + 1);
      const value = text.slice(this.#at + 1, end < 0 ? text.length : end);
      this.#at = end < 0 ? text.length : end + 1;
      return value;
    }
    const from = this.#at;
    while (this.#at < text.length && text[this.#at] !== '>' && !isSpace(text.charCodeAt(this.#at)))
      this.#at++;
    return text.slice(from, this.#at);
  }

  #skipSpace(): void {
    while (isSpace(this.#text.charCodeAt(this.#at))) this.#at++;
  }

  #named(name: string): string {
    return this.#isHtml ? name.toLowerCase() : name;
  }
}

/** Names with digits may be generated, and would be another place in each answer. */
function labelOf(name: string, attributes: ReadonlyMap<string, Json>): string {
  const attributeText = (key: string): string => {
    const value = attributes.get(key);
    return typeof value === 'string' && /^[A-Za-z][A-Za-z_-]{0,31}$/.test(value) ? value : '';
  };
  const [id, ownName] = [attributeText('@id'), attributeText('@name')];
  const classes = String(attributes.get('@class') ?? '').split(/\s/, 1)[0];
  const first = /^[A-Za-z][A-Za-z_-]{0,31}$/.test(classes) ? `.${classes}` : '';
  return `<${name}${id === '' ? '' : `#${id}`}${ownName === '' ? '' : `[${ownName}]`}${first}>`;
}

function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

function isNameStart(code: number): boolean {
  return (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) || code === 0x5f || code > 0x7f;
}

/** White space, `/` or `>`. */
function isNameEnd(code: number): boolean {
  return isSpace(code) || code === 0x2f || code === 0x3e;
}

function isAttributeEnd(code: number): boolean {
  return isNameEnd(code) || code === 0x3d;
}
