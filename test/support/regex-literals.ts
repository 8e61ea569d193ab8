/** Finds the regular expressions in TypeScript sources, so that a test can hold a list of them. */

export interface RegexLiteral {
  readonly pattern: string;
  readonly flags: string;
}

/** After these a slash begins a regular expression; after anything else it divides. */
const beforeLiteral = new Set([
  '',
  '(',
  ',',
  '=',
  ':',
  '[',
  '!',
  '&',
  '|',
  '?',
  '{',
  ';',
  '>',
  '+',
  'return',
]);

/** Returns the literals in their order, and `new RegExp(…)` as a pattern of that text. */
export function regexLiterals(source: string): RegexLiteral[] {
  const found: RegexLiteral[] = [];
  let at = 0;
  let before = '';
  /** Open braces within the `${…}` of each open template. */
  const templates: number[] = [];
  while (at < source.length) {
    const char = source[at]!;
    if (/\s/.test(char)) at++;
    else if (source.startsWith('//', at)) at = endOf(source, '\n', at);
    else if (source.startsWith('/*', at)) at = endOf(source, '*/', at + 2);
    else if (char === '/' && beforeLiteral.has(before)) {
      const end = endOfPattern(source, at + 1);
      const flags = /^[a-z]*/.exec(source.slice(end + 1))![0];
      found.push({ pattern: source.slice(at + 1, end), flags });
      at = end + 1 + flags.length;
      before = 'literal';
    } else if (char === "'" || char === '"') {
      at = endOfString(source, at + 1, char);
      before = 'literal';
    } else if (char === '`' || (char === '}' && templates.at(-1) === 0)) {
      if (char === '}') templates.pop();
      const end = endOfTemplatePart(source, at + 1);
      const opens = source[end] === '$';
      if (opens) templates.push(0);
      at = end + (opens ? 2 : 1);
      before = opens ? '{' : 'literal';
    } else {
      const word = /^[\w$]+/.exec(source.slice(at, at + 100))?.[0] ?? char;
      if (templates.length > 0 && char === '{') templates[templates.length - 1]!++;
      if (templates.length > 0 && char === '}') templates[templates.length - 1]!--;
      if (word === 'RegExp' && source[at + word.length] === '(')
        found.push({ pattern: 'RegExp(…)', flags: '' });
      at += word.length;
      before = word;
    }
  }
  return found;
}

function endOf(source: string, mark: string, from: number): number {
  const end = source.indexOf(mark, from);
  return end < 0 ? source.length : end + mark.length;
}

function endOfString(source: string, from: number, quote: string): number {
  let at = from;
  while (at < source.length && source[at] !== quote) at += source[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** Where the template's text ends: at its backtick, or at the `$` of a `${`. */
function endOfTemplatePart(source: string, from: number): number {
  let at = from;
  while (at < source.length && source[at] !== '`' && !source.startsWith('${', at))
    at += source[at] === '\\' ? 2 : 1;
  return at;
}

function endOfPattern(source: string, from: number): number {
  let inClass = false;
  let at = from;
  for (; source[at] !== '/' || inClass; at++) {
    if (source[at] === '\\') at++;
    else if (source[at] === '[') inClass = true;
    else if (source[at] === ']') inClass = false;
  }
  return at;
}
