/**
 * Bodies that are lists of records: JSON lines, server-sent events, forms and multipart bodies. Throw
 * `JsonFault`.
 */
import { limits } from '../limits.js';
import { DocumentBounds, invalidDocument } from './document-bounds.js';
import { type Json, JsonFault, parseJson } from './json.js';
import { type MediaType, parseMediaType } from './media-type.js';

/** One JSON text a line, or behind a record separator each (RFC 7464). */
export function parseJsonLines(text: string): Json {
  const separator = text.includes(recordSeparator) ? recordSeparator : '\n';
  const documents: Json[] = [];
  for (const line of text.split(separator)) {
    if (line.trim() === '') continue;
    if (documents.length >= limits.jsonValues) throw new JsonFault('too-many-values', 0);
    documents.push(parseJson(line));
  }
  return documents;
}

const recordSeparator = '\u001e';

/**
 * Events of a stream (WHATWG HTML, section 9.2.6), with data that is JSON taken apart. Comments are left
 * out.
 */
export function parseEventStream(text: string): Json {
  const events: Json[] = [];
  let event = new Map<string, Json>();
  const bounds = new DocumentBounds();
  const end = (): void => {
    if (event.size === 0) return;
    const data = event.get('data');
    if (typeof data === 'string') event.set('data', jsonOr(data));
    events.push(event);
    event = new Map();
  };
  for (const line of text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/)) {
    bounds.value(0, 0);
    if (line === '') end();
    if (line === '' || line.startsWith(':')) continue;
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    const known = event.get(name);
    event.set(name, name === 'data' && typeof known === 'string' ? `${known}\n${value}` : value);
  }
  end();
  return events;
}

/** `application/x-www-form-urlencoded`: parameters by name; one that repeats is a list. */
export function parseForm(text: string): Json {
  const members = new Map<string, Json>();
  const bounds = new DocumentBounds();
  for (const [name, value] of new URLSearchParams(text)) {
    bounds.value(0, 0);
    addMember(members, name, value);
  }
  return members;
}

export type PartReader = (body: Buffer, contentType: string) => Json;

/**
 * Parts (RFC 2046) by their names, or else in their order; each with its type and its content as `read`
 * has it.
 */
export function parseMultipart(bytes: Uint8Array, { parameters }: MediaType, read: PartReader): Json {
  const boundary = parameters.get('boundary');
  if (boundary === undefined || boundary === '') throw invalidDocument(0);
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const pieces = `\r\n${whole}`.split(`\r\n--${boundary}`);
  if (pieces.length < 3) throw invalidDocument(0);
  const [named, unnamed] = [new Map<string, Json>(), [] as Json[]];
  for (const piece of pieces.slice(1)) {
    if (piece.startsWith('--')) break;
    const head = piece.indexOf('\r\n\r\n');
    if (head < 0) throw invalidDocument(0);
    const fields = new Map(
      piece
        .slice(0, head)
        .split('\r\n')
        .filter((line) => line.includes(':'))
        .map((line): [string, string] => {
          const colon = line.indexOf(':');
          return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
        }),
    );
    const type = fields.get('content-type') ?? 'text/plain';
    const part = new Map<string, Json>([
      ['type', type],
      ['body', read(Buffer.from(piece.slice(head + 4), 'latin1'), type)],
    ]);
    const disposition = fields.get('content-disposition') ?? '';
    const name = parseMediaType(disposition).parameters.get('name');
    if (name === undefined) unnamed.push(part);
    else addMember(named, name, part);
  }
  return named.size === 0
    ? unnamed
    : new Map<string, Json>([...named, ...(unnamed.length > 0 ? [['parts', unnamed] as const] : [])]);
}

function addMember(members: Map<string, Json>, name: string, value: Json): void {
  const known = members.get(name);
  if (known === undefined) members.set(name, value);
  else if (Array.isArray(known)) known.push(value);
  else members.set(name, [known, value]);
}

function jsonOr(text: string): Json {
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}
