/** The two halves of a WebSocket handshake (RFC 6455, section 4) that uWS leaves to its caller. */
import { createHash } from 'node:crypto';
import { asciiLowerCase } from '../../../core/http/chars.js';
import type { ResponseHead } from '../../../core/http/response-head.js';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Fields of a 101 that uWS writes itself. */
const writtenByUws = new Set(['sec-websocket-accept', 'sec-websocket-protocol', 'date']);

/** What the primary's 101 comes to. */
export interface Acceptance {
  /** The status line without its version, and the end-to-end fields, without the last CRLF. */
  readonly lines: Buffer;
  /** The subprotocol that the primary chose, or empty. */
  readonly protocol: string;
}

/**
 * Null where `head` does not accept the handshake with `key`: another protocol, another key's answer, or an
 * extension that was not asked for (they are left out of what goes upstream, for uWS would have to speak
 * them).
 */
export function readAcceptance(head: ResponseHead, key: string): Acceptance | null {
  if (asciiLowerCase(head.fieldValue('upgrade') ?? '') !== 'websocket') return null;
  if (head.fieldValue('sec-websocket-extensions') !== null) return null;
  const accept = createHash('sha1')
    .update(key + GUID)
    .digest('base64');
  if (head.fieldValue('sec-websocket-accept') !== accept) return null;
  let lines = '101 Switching Protocols';
  for (let row = 0; row < head.fieldCount; row++) {
    const name = head.fieldName(row);
    if (head.isForwarded(row) && !writtenByUws.has(name)) lines += `\r\n${name}: ${head.fieldText(row)}`;
  }
  return { lines: Buffer.from(lines, 'latin1'), protocol: head.fieldValue('sec-websocket-protocol') ?? '' };
}
