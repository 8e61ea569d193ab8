/** Media types (RFC 9110, section 8.3.1): which form a body has, and when two of them are the same. */
import { withoutBlanks } from '../trim.js';
import { splitOutsideQuotes } from './quoted-list.js';

export interface MediaType {
  /** `type/subtype` in lower case; empty where there is none. */
  readonly essence: string;
  /** By lower-case name; values without quotes. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Types by their text: a service has few of them, and each pair has two. */
const parsed = new Map<string, MediaType>();
const parsedMax = 256;

export function parseMediaType(text: string): MediaType {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const type = readMediaType(text);
  if (parsed.size >= parsedMax) parsed.clear();
  parsed.set(text, type);
  return type;
}

function readMediaType(text: string): MediaType {
  const [essence = '', ...rest] = splitOutsideQuotes(text, ';');
  const parameters = new Map<string, string>();
  for (const parameter of rest) {
    const sign = parameter.indexOf('=');
    if (sign < 0) continue;
    const name = withoutBlanks(parameter.slice(0, sign)).toLowerCase();
    const plain = unquoted(withoutBlanks(parameter.slice(sign + 1)));
    parameters.set(name, name === 'charset' ? plain.toLowerCase() : plain);
  }
  return { essence: essence.toLowerCase(), parameters };
}

/** The value of a token or of a quoted string (RFC 9110, section 5.6.4). */
export function unquoted(value: string): string {
  const isQuoted = value.length > 1 && value.startsWith('"') && value.endsWith('"');
  return isQuoted ? value.slice(1, -1).replace(/\\(.)/gs, '$1') : value;
}

/** One text for media types that mean the same: case, the order of parameters and quotes do not count. */
export function normalizedMediaType(text: string): string {
  const { essence, parameters } = parseMediaType(text);
  const sorted = [...parameters].map(([name, value]) => `${name}=${value}`).sort();
  return [essence, ...sorted].join('; ');
}

export type BodyForm =
  | 'json'
  | 'json-lines'
  | 'event-stream'
  | 'multipart'
  | 'form'
  | 'html'
  | 'xml'
  | 'text'
  | 'msgpack'
  | 'cbor'
  | 'protobuf'
  | 'grpc'
  | 'binary';

/** Types of IANA's registry, and some that are in use without being registered. */
const forms: ReadonlyMap<string, BodyForm> = new Map<string, BodyForm>([
  ['application/json', 'json'],
  ['text/json', 'json'],
  ['application/json5', 'text'],
  ['application/x-ndjson', 'json-lines'],
  ['application/ndjson', 'json-lines'],
  ['application/jsonl', 'json-lines'],
  ['application/jsonlines', 'json-lines'],
  ['application/json-seq', 'json-lines'],
  ['application/stream+json', 'json-lines'],
  ['text/event-stream', 'event-stream'],
  ['application/x-www-form-urlencoded', 'form'],
  ['text/html', 'html'],
  ['application/xhtml+xml', 'xml'],
  ['application/xml', 'xml'],
  ['text/xml', 'xml'],
  ['application/msgpack', 'msgpack'],
  ['application/x-msgpack', 'msgpack'],
  ['application/vnd.msgpack', 'msgpack'],
  ['application/cbor', 'cbor'],
  ['application/cbor-seq', 'cbor'],
  ['application/protobuf', 'protobuf'],
  ['application/x-protobuf', 'protobuf'],
  ['application/vnd.google.protobuf', 'protobuf'],
  ['application/grpc', 'grpc'],
  ['application/javascript', 'text'],
  ['application/ecmascript', 'text'],
  ['application/yaml', 'text'],
  ['application/x-yaml', 'text'],
  ['application/toml', 'text'],
  ['application/graphql', 'text'],
  ['application/sql', 'text'],
  ['application/rtf', 'text'],
  ['application/x-javascript', 'text'],
]);

/** Structured syntax suffixes (RFC 6839 and its registry). */
const suffixes: ReadonlyMap<string, BodyForm> = new Map<string, BodyForm>([
  ['json', 'json'],
  ['json-seq', 'json-lines'],
  ['xml', 'xml'],
  ['cbor', 'cbor'],
  ['cbor-seq', 'cbor'],
  ['msgpack', 'msgpack'],
  ['yaml', 'text'],
]);

export function bodyFormOf({ essence }: MediaType): BodyForm {
  const known = forms.get(essence);
  if (known !== undefined) return known;
  // The text form of gRPC-Web is base64 in pieces.
  if (essence.startsWith('application/grpc-web-text')) return 'binary';
  if (essence.startsWith('application/grpc')) return 'grpc';
  // Versioned types such as `application/x-amz-json-1.1`.
  if (/[/-]json-\d\.\d$/.test(essence)) return 'json';
  const plus = essence.lastIndexOf('+');
  const suffix = plus < 0 ? undefined : suffixes.get(essence.slice(plus + 1));
  if (suffix !== undefined) return suffix;
  if (essence.startsWith('multipart/')) return 'multipart';
  return essence.startsWith('text/') ? 'text' : 'binary';
}
