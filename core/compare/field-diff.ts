/**
 * How the header fields of two responses differ. Fields that are lists are compared by their members,
 * fields of parameters by their parameters, cookies by their names and attributes: RFC 9110, sections
 * 5.6.1 and 8.3.1; RFC 6265.
 */
import { hopByHopFields } from '../http/hop-by-hop.js';
import type { Redaction } from '../redact.js';
import { redacted } from '../redact.js';
import { withoutBlanks } from '../trim.js';
import type { Change, Difference } from './difference.js';
import { digestBody } from './digest.js';
import { normalizedMediaType, unquoted } from './media-type.js';
import { splitOutsideQuotes } from './quoted-list.js';
import type { Response } from './response.js';
import { shortened } from './shown.js';

/** Fields of the message or the connection, not of the answer: a proxy would change them too. */
const neverCompared: readonly string[] = [
  ...hopByHopFields,
  'age',
  'content-length',
  'date',
  'via',
  'x-request-id',
  'traceparent',
];

/** These describe the bytes of a body. Where the decoded bodies are equal, they may differ. */
const ofTheBytes: ReadonlySet<string> = new Set([
  'accept-ranges',
  'content-digest',
  'content-encoding',
  'content-md5',
  'digest',
  'etag',
  'last-modified',
  'repr-digest',
]);

/** Lists whose members stand in no order, and may repeat. The members of the first kind have no case. */
const listsWithoutCase: ReadonlySet<string> = new Set([
  'access-control-allow-headers',
  'access-control-expose-headers',
  'vary',
]);
const lists: ReadonlySet<string> = new Set([
  ...listsWithoutCase,
  'access-control-allow-methods',
  'allow',
  'link',
  'server-timing',
]);
/** Directives with a name and perhaps a value, by what separates them. */
const directives: ReadonlyMap<string, string> = new Map([
  ['cache-control', ','],
  ['content-security-policy', ';'],
  ['permissions-policy', ','],
  ['strict-transport-security', ';'],
]);

export class FieldDiff {
  readonly #ignored: ReadonlySet<string>;
  readonly #redaction: Redaction;

  constructor(ignored: readonly string[], redaction: Redaction) {
    this.#ignored = new Set([...neverCompared, ...ignored]);
    this.#redaction = redaction;
  }

  /** `bodiesEqual`: the decoded bodies are. */
  compare(
    primary: Response,
    shadow: Response,
    bodiesEqual: boolean,
    on: (difference: Difference) => void,
  ): void {
    for (const name of new Set([...primary.fields.keys(), ...shadow.fields.keys()])) {
      if (this.#ignored.has(name) || (bodiesEqual && ofTheBytes.has(name))) continue;
      const [a, b] = [primary.fields.get(name), shadow.fields.get(name)];
      if (a !== undefined && b !== undefined && isSame(a, b)) continue;
      const [left, right] = [membersOf(name, a ?? []), membersOf(name, b ?? [])];
      const isWhole = a === undefined || b === undefined;
      // A field that one side lacks is one difference; a cookie is a thing of its own.
      if (isWhole && name !== 'set-cookie') {
        this.#report(name, name, a?.join(', '), b?.join(', '), on);
        continue;
      }
      for (const member of new Set([...left.keys(), ...right.keys()])) {
        const path = member === '' ? name : `${name} ${member}`;
        const [x, y] = [left.get(member), right.get(member)];
        if (x !== y) this.#report(name, path, x, y, on);
      }
    }
  }

  #report(
    name: string,
    path: string,
    primary: string | undefined,
    shadow: string | undefined,
    on: (difference: Difference) => void,
  ): void {
    let change: Change = 'value';
    if (primary === undefined) change = 'extra';
    else if (shadow === undefined) change = 'missing';
    // The attributes of a cookie are no secrets, its value is.
    const isAttribute = name === 'set-cookie' && path.includes('; ');
    const shown = (value: string | undefined) => {
      if (value === undefined) return undefined;
      if (isAttribute) return shortened(value);
      return this.#redaction.hidesField(name) ? redacted : shortened(this.#redaction.text(value));
    };
    const print = (value: string | undefined) => digestBody(Buffer.from(value ?? ''), 0);
    on({
      kind: 'header',
      path: shortened(path),
      change,
      at: '',
      primary: shown(primary),
      shadow: shown(shadow),
      ...(change === 'value' ? { prints: [print(primary), print(shadow)] as const } : {}),
    });
  }
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

/** What is compared of a field, by name; without members it is the whole value under an empty name. */
function membersOf(name: string, values: readonly string[]): ReadonlyMap<string, string> {
  if (name === 'set-cookie') return cookiesOf(values);
  const separator = directives.get(name);
  if (separator !== undefined) return directivesOf(values.join(separator), separator);
  const joined = values.join(', ');
  if (lists.has(name)) {
    const members = splitOutsideQuotes(joined, ',').map((member) => {
      return listsWithoutCase.has(name) ? member.toLowerCase() : member;
    });
    return new Map(members.map((member) => [member, member]));
  }
  const value = name === 'content-type' ? normalizedMediaType(joined) : joined;
  return new Map(values.length === 0 ? [] : [['', value]]);
}

function directivesOf(text: string, separator: string): ReadonlyMap<string, string> {
  return new Map(
    splitOutsideQuotes(text, separator).map((directive): [string, string] => {
      const end = directive.search(/[\s=]/);
      if (end < 0) return [directive.toLowerCase(), ''];
      const rest = withoutBlanks(directive.slice(end));
      const value = rest.startsWith('=') ? withoutBlanks(rest.slice(1)) : rest;
      return [directive.slice(0, end).toLowerCase(), unquoted(value)];
    }),
  );
}

/**
 * Cookies by name, and their attributes as `NAME; Attribute`. Of two cookies with one name the last
 * counts.
 */
function cookiesOf(values: readonly string[]): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  for (const value of values) {
    const [pair, ...attributes] = value.split(';').map(withoutBlanks);
    const sign = pair.indexOf('=');
    const name = sign < 0 ? pair : withoutBlanks(pair.slice(0, sign));
    members.set(name, sign < 0 ? '' : withoutBlanks(pair.slice(sign + 1)));
    for (const attribute of attributes) {
      if (attribute === '') continue;
      const equals = attribute.indexOf('=');
      const label = withoutBlanks(equals < 0 ? attribute : attribute.slice(0, equals));
      const text = equals < 0 ? '' : withoutBlanks(attribute.slice(equals + 1));
      members.set(`${name}; ${label.toLowerCase()}`, isCaseless(label) ? text.toLowerCase() : text);
    }
  }
  return members;
}

function isCaseless(attribute: string): boolean {
  return /^(?:samesite|domain|priority)$/i.test(attribute);
}
