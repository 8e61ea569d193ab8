/**
 * The fields that the edge adds to a request before it is routed, so that the primary and all copies carry
 * the same ones: the client's address, the proxies that the request passed, and its id.
 *
 * Most requests have none of these yet. One pass over the first letters of the field lines detects that, and
 * the lines are appended. Only lines that the client has sent are joined or removed.
 */
import type { EdgePlan } from '../plan.js';
import { Char } from './chars.js';
import { withoutFields } from './field-edits.js';
import { fieldValues, nameIs } from './fields.js';
import type { RequestHead } from './message.js';
import { Networks } from './networks.js';
import type { RequestIds } from './request-id.js';

/** The peer of the connection, as the socket reports it. */
export interface EdgePeer {
  /** Returns the address without port; empty for a unix socket. */
  clientAddress(): string;
}

/** Fields that a client has sent, as bits. */
const Seen = { FOR: 1, PROTO: 2, HOST: 4, FORWARDED: 8, VIA: 16, ID: 32 } as const;
const ANY_FORWARDED = Seen.FOR | Seen.PROTO | Seen.HOST | Seen.FORWARDED;

const forwardedNames = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'forwarded'];
const forName = forwardedNames.slice(0, 1);
const forwardedName = forwardedNames.slice(3);
const viaName = ['via'];
const idName = ['x-request-id'];

const LETTER_F = 0x66;
const LETTER_V = 0x76;
const LETTER_X = 0x78;

/** One listener's policy on one thread. */
export class EdgeFields {
  readonly #plan: EdgePlan;
  readonly #ids: RequestIds;
  readonly #trusted: Networks | null;
  readonly #secureLines: string;
  readonly #plainLines: string;

  constructor(plan: EdgePlan, ids: RequestIds) {
    this.#plan = plan;
    this.#ids = ids;
    this.#trusted = plan.trusted === null ? null : new Networks(plan.trusted);
    this.#secureLines = 'x-forwarded-proto: https\r\nx-forwarded-host: ';
    this.#plainLines = 'x-forwarded-proto: http\r\nx-forwarded-host: ';
  }

  /** `act` returns false when `apply` would change nothing. */
  static act(plan: EdgePlan): boolean {
    return (
      plan.forwarded.mode !== 'off' || plan.via !== null || plan.requestId !== 'off' || plan.trusted !== null
    );
  }

  /** `apply` changes `head.fields`, and sets `head.client` when the client is not the peer. */
  apply(head: RequestHead, peer: EdgePeer): void {
    const { forwarded, via, requestId } = this.#plan;
    const seen = whatIsSeen(head.fields);
    let fields = head.fields;
    if (forwarded.mode !== 'off' || this.#trusted !== null) {
      const address = peer.clientAddress();
      let believed = forwarded.mode === 'append';
      if (this.#trusted !== null) {
        if (!this.#trusted.has(address)) believed = false;
        else if ((seen & ANY_FORWARDED) !== 0) {
          head.client = this.#trusted.clientOf(fields, address, forwarded.as);
        }
      }
      if (forwarded.mode !== 'off') {
        let kept = seen;
        if (!believed && (seen & ANY_FORWARDED) !== 0) {
          fields = withoutFields(fields, forwardedNames);
          kept = 0;
        }
        fields =
          forwarded.as === 'forwarded'
            ? this.#withForwarded(fields, kept, address, head)
            : this.#withXForwarded(fields, kept, address, head);
      }
    }
    if (via !== null) {
      const before = (seen & Seen.VIA) === 0 ? '' : `${fieldValues(fields, 'via')}, `;
      if (before !== '') fields = withoutFields(fields, viaName);
      fields += `via: ${before}${receivedProtocol(head)} ${via}\r\n`;
    }
    if (requestId !== 'off') fields = this.#withId(fields, seen);
    head.fields = fields;
  }

  #withXForwarded(fields: string, seen: number, address: string, head: RequestHead): string {
    let result = fields;
    if (address !== '') {
      if ((seen & Seen.FOR) === 0) result += `x-forwarded-for: ${address}\r\n`;
      else {
        const before = fieldValues(fields, 'x-forwarded-for');
        result = `${withoutFields(fields, forName)}x-forwarded-for: ${before}, ${address}\r\n`;
      }
    }
    if ((seen & (Seen.PROTO | Seen.HOST)) === 0) {
      return `${result}${head.secure ? this.#secureLines : this.#plainLines}${head.host}\r\n`;
    }
    // The first proxy has reported what the client asked for. Our values only describe how that proxy asked
    // us.
    if ((seen & Seen.PROTO) === 0) result += `x-forwarded-proto: ${head.secure ? 'https' : 'http'}\r\n`;
    if ((seen & Seen.HOST) === 0) result += `x-forwarded-host: ${head.host}\r\n`;
    return result;
  }

  #withForwarded(fields: string, seen: number, address: string, head: RequestHead): string {
    const element = `for=${nodeName(address)};proto=${head.secure ? 'https' : 'http'};host="${head.host}"`;
    if ((seen & Seen.FORWARDED) === 0) return `${fields}forwarded: ${element}\r\n`;
    const before = fieldValues(fields, 'forwarded');
    return `${withoutFields(fields, forwardedName)}forwarded: ${before}, ${element}\r\n`;
  }

  #withId(fields: string, seen: number): string {
    if ((seen & Seen.ID) === 0) return `${fields}x-request-id: ${this.#ids.next()}\r\n`;
    if (this.#plan.requestId === 'keep' && fieldValues(fields, 'x-request-id') !== '') return fields;
    return `${withoutFields(fields, idName)}x-request-id: ${this.#ids.next()}\r\n`;
  }
}

/** RFC 9110, section 7.6.3: the protocol in which the request came. */
function receivedProtocol({ http10, http2 }: RequestHead): string {
  if (http2) return '2.0';
  return http10 ? '1.0' : '1.1';
}

/** RFC 7239, section 6. The Host field's value needs no escapes: neither engine accepts `"` or `\` in it. */
function nodeName(address: string): string {
  if (address === '') return 'unknown';
  return address.includes(':') ? `"[${address}]"` : address;
}

function whatIsSeen(fields: string): number {
  let seen = 0;
  for (let line = 0; line < fields.length; line = fields.indexOf('\n', line) + 1) {
    const letter = fields.charCodeAt(line) | Char.CASE_BIT;
    if (letter === LETTER_X) {
      if (isNamed(fields, line, 'x-forwarded-for')) seen |= Seen.FOR;
      else if (isNamed(fields, line, 'x-forwarded-proto')) seen |= Seen.PROTO;
      else if (isNamed(fields, line, 'x-forwarded-host')) seen |= Seen.HOST;
      else if (isNamed(fields, line, 'x-request-id')) seen |= Seen.ID;
    } else if (letter === LETTER_F) {
      if (isNamed(fields, line, 'forwarded')) seen |= Seen.FORWARDED;
    } else if (letter === LETTER_V && isNamed(fields, line, 'via')) seen |= Seen.VIA;
  }
  return seen;
}

function isNamed(fields: string, line: number, lowerName: string): boolean {
  return fields.charCodeAt(line + lowerName.length) === Char.COLON && nameIs(fields, line, lowerName);
}
