/**
 * The value of a header field with commands, in Envoy's format: `%REQ(x-user)%`, `%PROTOCOL%`, and `%%` for
 * the character itself (Envoy documentation, "Access logging: command operators"). A value is compiled when
 * its plan is loaded. A value without commands is a constant.
 */
import { isoTime } from '../clock.js';
import { limits } from '../limits.js';
import { fieldValue } from './fields.js';
import type { FormatSource } from './format-source.js';
import { withoutPort } from './host.js';
import { compileTimeFormat, TimeFormatError } from './time-format.js';

/** Where the value is used, which decides what is known: a request, a response or a copy of a request. */
export type FormatPlace = 'request' | 'response' | 'copy';

/** Its message names the fault. Of the value it repeats only names of commands. */
export class FormatError extends Error {}

/** Returns the value of a command; empty where it is unknown. */
type Part = (source: FormatSource) => string;

interface Command {
  readonly places: readonly FormatPlace[];
  /** `argument` is the text in the parentheses, or null without parentheses. */
  readonly make: (argument: string | null) => Part;
}

const PERCENT = '%';
const everywhere: readonly FormatPlace[] = ['request', 'response', 'copy'];
const ofExchanges: readonly FormatPlace[] = ['request', 'response'];
const ofResponses: readonly FormatPlace[] = ['response'];

const commands: Readonly<Record<string, Command>> = {
  REQ: { places: everywhere, make: fieldOf(requestField) },
  RESP: { places: ofResponses, make: fieldOf(responseField) },
  PROTOCOL: plain(ofExchanges, protocolOf),
  START_TIME: { places: ofExchanges, make: startTime },
  ROUTE_NAME: plain(everywhere, ({ route }) => route),
  UPSTREAM_CLUSTER: plain(everywhere, ({ version }) => version),
  DOWNSTREAM_REMOTE_ADDRESS: plain(ofExchanges, (source) => joined(source.client, clientPort(source))),
  DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: plain(ofExchanges, ({ client }) => client),
  DOWNSTREAM_REMOTE_PORT: plain(ofExchanges, (source) => portText(source.client, clientPort(source))),
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS: plain(ofExchanges, ({ peer, peerPort }) => joined(peer, peerPort)),
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT: plain(ofExchanges, ({ peer }) => peer),
  DOWNSTREAM_DIRECT_REMOTE_PORT: plain(ofExchanges, ({ peer, peerPort }) => portText(peer, peerPort)),
  DOWNSTREAM_LOCAL_PORT: plain(ofExchanges, ({ localPort }) => (localPort === 0 ? '' : String(localPort))),
  UPSTREAM_HOST: plain(ofResponses, ({ upstream }) => upstream),
  UPSTREAM_REMOTE_ADDRESS: plain(ofResponses, ({ upstream }) => upstream),
  UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: plain(ofResponses, ({ upstream }) => withoutPort(upstream)),
  UPSTREAM_REMOTE_PORT: plain(ofResponses, ({ upstream }) =>
    upstream.slice(withoutPort(upstream).length + 1),
  ),
  RESPONSE_CODE: plain(ofResponses, ({ status }) => String(status)),
  REQUEST_DURATION: plain(ofResponses, ({ requestMs }) => millisecondsText(requestMs)),
  RESPONSE_DURATION: plain(ofResponses, ({ responseMs }) => millisecondsText(responseMs)),
};

/** `protocolOf` returns the name that Envoy gives to the protocol. */
function protocolOf({ http10, http2 }: FormatSource): string {
  if (http2) return 'HTTP/2';
  return http10 ? 'HTTP/1.0' : 'HTTP/1.1';
}

/** A compiled value. */
export class Format {
  /** Null when the value has commands. */
  readonly constant: string | null;
  readonly #parts: readonly (string | Part)[];

  constructor(parts: readonly (string | Part)[]) {
    this.#parts = parts;
    this.constant = parts.every((part) => typeof part === 'string') ? parts.join('') : null;
  }

  text(source: FormatSource): string {
    let text = '';
    for (const part of this.#parts) text += typeof part === 'string' ? part : part(source);
    return text;
  }
}

/**
 * `compileFormat` throws a `FormatError` for a command that umbra does not have, or that has no value in this
 * place.
 */
export function compileFormat(value: string, place: FormatPlace): Format {
  const parts: (string | Part)[] = [];
  let from = 0;
  let count = 0;
  for (let at = value.indexOf(PERCENT); at >= 0; at = value.indexOf(PERCENT, from)) {
    parts.push(value.slice(from, at));
    if (value[at + 1] === PERCENT) {
      parts.push(PERCENT);
      from = at + 2;
      continue;
    }
    if (++count > limits.formatCommands)
      throw new FormatError(`has more than ${limits.formatCommands} commands`);
    const { part, end } = commandAt(value, at, place);
    parts.push(part);
    from = end;
  }
  parts.push(value.slice(from));
  return new Format(parts);
}

/** `commandAt` reads `%NAME%`, `%NAME(ARGUMENT)%` or `%NAME(ARGUMENT):LENGTH%` from `start` on. */
function commandAt(value: string, start: number, place: FormatPlace): { part: Part; end: number } {
  const name = /^[A-Z0-9_]{1,80}/.exec(value.slice(start + 1, start + 82))?.[0] ?? '';
  let at = start + 1 + name.length;
  let argument: string | null = null;
  let close = null;
  if (value[at] === '(') {
    close = closing(value, at + 1);
    if (close !== null) {
      argument = value.slice(at + 1, close.at);
      at = close.end;
    }
  }
  if (name === '' || value[at] !== PERCENT)
    throw new FormatError('has a % that begins no command such as %REQ(x-user)%; write %% for the character');
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) throw new FormatError(`has %${name}%, which umbra does not know`);
  if (!command.places.includes(place)) throw new FormatError(`has %${name}%, which ${placeNames[place]}`);
  const made = madePart(name, command, argument);
  const lengthMax = close?.length ?? null;
  const part: Part = lengthMax === null ? made : (source) => made(source).slice(0, lengthMax);
  return { part, end: at + 1 };
}

const placeNames: Readonly<Record<FormatPlace, string>> = {
  request: 'is not known before the response',
  response: 'is not known of a response',
  copy: 'is not known of a copy',
};

/**
 * `closing` returns the parenthesis that ends an argument: the first one before a length and a %, or before a
 * % alone.
 */
function closing(value: string, from: number): { at: number; end: number; length: number | null } | null {
  for (let at = value.indexOf(')', from); at >= 0; at = value.indexOf(')', at + 1)) {
    const [behind, digits] = /^(?::(\d{1,6}))?(?=%)/.exec(value.slice(at + 1, at + 9)) ?? [];
    if (behind === undefined) continue;
    return { at, end: at + 1 + behind.length, length: digits === undefined ? null : Number(digits) };
  }
  return null;
}

function madePart(name: string, { make }: Command, argument: string | null): Part {
  try {
    return make(argument);
  } catch (error) {
    if (!(error instanceof FormatError || error instanceof TimeFormatError)) throw error;
    throw new FormatError(`has %${name}%, which ${error.message}`);
  }
}

function plain(places: readonly FormatPlace[], part: Part): Command {
  return {
    places,
    make: (argument) => {
      if (argument !== null) throw new FormatError('takes no argument in parentheses');
      return part;
    },
  };
}

/** `fieldOf` makes `NAME`, or `NAME?OTHER`, which reads the other field when the first is absent. */
function fieldOf(read: (source: FormatSource, lowerName: string) => string) {
  return (argument: string | null): Part => {
    const [name, other, ...more] = (argument ?? '').toLowerCase().split('?');
    if (name === '' || other === '' || more.length > 0)
      throw new FormatError('needs the name of a field in parentheses, or two with ? between them');
    if (other === undefined) return (source) => read(source, name);
    return (source) => read(source, name) || read(source, other);
  };
}

function requestField(source: FormatSource, lowerName: string): string {
  switch (lowerName) {
    case ':method':
      return source.method;
    case ':path':
      return source.target;
    case ':authority':
    case 'host':
      return source.host;
    case ':scheme':
      return source.scheme;
    default:
      return fieldValue(source.fields, lowerName) ?? '';
  }
}

function responseField(source: FormatSource, lowerName: string): string {
  if (lowerName === ':status') return String(source.status);
  return fieldValue(source.responseFields, lowerName) ?? '';
}

function startTime(argument: string | null): Part {
  if (argument === null || argument === '') return ({ startMs }) => isoTime(startMs);
  const format = compileTimeFormat(argument);
  return ({ startMs }) => format(startMs);
}

/** `clientPort` returns 0, as Envoy does, for a client that a proxy reported, whose port is unknown. */
function clientPort({ client, peer, peerPort }: FormatSource): number {
  return client === peer ? peerPort : 0;
}

/** `joined` returns '' for the client of a unix socket, which has no address. */
function joined(address: string, port: number): string {
  if (address === '') return '';
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function portText(address: string, port: number): string {
  return address === '' ? '' : String(port);
}

function millisecondsText(ms: number): string {
  return ms < 0 ? '' : String(Math.round(ms));
}
