/**
 * Logins that belong to a connection and not to a request: NTLM, and Negotiate (RFC 4559, section 6). After
 * such a login, the server attributes every request on the connection to the same user.
 */
import type { ResponseHead } from './response-head.js';

const schemes = /^\s*(?:ntlm|negotiate)(?:\s|$)/i;
const challengeSchemes = /(?:^|,)\s*(?:ntlm|negotiate)(?=[\s,]|$)/i;
/** The name without its first letter, which clients write in either case. */
const AUTHORIZATION = 'uthorization:';
/** Characters of the longest scheme with white space around it. */
const schemeChars = 16;
const UNAUTHORIZED = 401;
const PROXY_AUTHENTICATION_REQUIRED = 407;

/** `carriesLogin` returns true when field lines, a wire string, have an Authorization with such a scheme. */
export function carriesLogin(fields: string): boolean {
  let at = fields.indexOf(AUTHORIZATION);
  while (at >= 0) {
    const value = at + AUTHORIZATION.length;
    if (schemes.test(fields.slice(value, value + schemeChars))) return true;
    at = fields.indexOf(AUTHORIZATION, value);
  }
  return false;
}

/**
 * `asksForLogin` returns true when a response asks for such a login. All messages of the login must use one
 * connection.
 */
export function asksForLogin(head: ResponseHead): boolean {
  if (head.status !== UNAUTHORIZED && head.status !== PROXY_AUTHENTICATION_REQUIRED) return false;
  const name = head.status === UNAUTHORIZED ? 'www-authenticate' : 'proxy-authenticate';
  for (let row = 0; row < head.fieldCount; row++) {
    if (head.nameIs(row, name) && challengeSchemes.test(head.fieldText(row))) return true;
  }
  return false;
}
