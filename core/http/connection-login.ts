/**
 * Logins that belong to a connection and not to a request: NTLM, and Negotiate (RFC 4559, section 6). After
 * one, the server takes every request on the connection for the same user's.
 */
import type { ResponseHead } from './response-head.js';

const schemes = /^\s*(?:ntlm|negotiate)(?:\s|$)/i;
const challengeSchemes = /(?:^|,)\s*(?:ntlm|negotiate)(?=[\s,]|$)/i;
/** The name without its first letter, which is the one that clients spell in two ways. */
const AUTHORIZATION = 'uthorization:';
/** The longest scheme, and white space around it. */
const schemeChars = 16;
const UNAUTHORIZED = 401;
const PROXY_AUTHENTICATION_REQUIRED = 407;

/** Whether field lines, a wire string, have an Authorization of such a scheme. */
export function carriesLogin(fields: string): boolean {
  let at = fields.indexOf(AUTHORIZATION);
  while (at >= 0) {
    const value = at + AUTHORIZATION.length;
    if (schemes.test(fields.slice(value, value + schemeChars))) return true;
    at = fields.indexOf(AUTHORIZATION, value);
  }
  return false;
}

/** Whether a response asks for such a login: the messages of one follow each other on one connection. */
export function asksForLogin(head: ResponseHead): boolean {
  if (head.status !== UNAUTHORIZED && head.status !== PROXY_AUTHENTICATION_REQUIRED) return false;
  const name = head.status === UNAUTHORIZED ? 'www-authenticate' : 'proxy-authenticate';
  for (let row = 0; row < head.fieldCount; row++) {
    if (head.nameIs(row, name) && challengeSchemes.test(head.fieldText(row))) return true;
  }
  return false;
}
