/** The host name in a Host field, as routes compare it. */
import { asciiLowerCase } from '../http/chars.js';

const COLON = ':';
const IPV6_END = ']';
const LABEL_WILDCARD = '*.';

/**
 * `plainHost` returns the host in lower case without the port: `Example.com:8080` becomes `example.com`, and
 * `[::1]:80` becomes `[::1]` (RFC 9110, section 7.2). A trailing dot stays, because `example.com.` is another
 * name to most servers. It allocates nothing when nothing changes.
 */
export function plainHost(host: string): string {
  // The search from the front is faster, and most hosts have no port.
  const colon = host.indexOf(COLON) === -1 ? -1 : host.lastIndexOf(COLON);
  const hasPort = colon !== -1 && colon > host.lastIndexOf(IPV6_END);
  return asciiLowerCase(hasPort ? host.slice(0, colon) : host);
}

/**
 * `wildcardSuffix` returns the suffix that a host must have: `.example.com` for `*.example.com`, with at
 * least one label in front. It returns '' for any other pattern.
 */
export function wildcardSuffix(pattern: string | null): string {
  if (pattern === null || !pattern.startsWith(LABEL_WILDCARD)) return '';
  return asciiLowerCase(pattern.slice(1));
}
