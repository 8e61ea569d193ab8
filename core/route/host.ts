/** The host name in a Host field, as routes compare it. */
import { asciiLowerCase } from '../http/chars.js';

const COLON = ':';
const IPV6_END = ']';
const LABEL_WILDCARD = '*.';

/**
 * Lower case, without the port: `Example.com:8080` is `example.com`, `[::1]:80` is `[::1]` (RFC 9110, section
 * 7.2). A trailing dot stays: `example.com.` is another name to most servers. Allocates nothing when there is
 * nothing to change.
 */
export function plainHost(host: string): string {
  // Searched for from the front first: that is faster, and most hosts have no port.
  const colon = host.indexOf(COLON) === -1 ? -1 : host.lastIndexOf(COLON);
  const hasPort = colon !== -1 && colon > host.lastIndexOf(IPV6_END);
  return asciiLowerCase(hasPort ? host.slice(0, colon) : host);
}

/**
 * For `*.example.com` the end `.example.com` that a host must have, with at least one label in front; '' for
 * any other pattern.
 */
export function wildcardSuffix(pattern: string | null): string {
  if (pattern === null || !pattern.startsWith(LABEL_WILDCARD)) return '';
  return asciiLowerCase(pattern.slice(1));
}
