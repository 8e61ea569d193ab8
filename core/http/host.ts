/**
 * `withoutPort` returns the value of a Host field without its port: `[::1]` for `[::1]:80` (RFC 9110, section
 * 7.2).
 */
export function withoutPort(host: string): string {
  const colon = host.lastIndexOf(':');
  return colon > host.lastIndexOf(']') ? host.slice(0, colon) : host;
}
