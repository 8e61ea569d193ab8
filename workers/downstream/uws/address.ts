const IPV4_BYTES = 4;
const IPV6_BYTES = 16;
const IPV6_GROUPS = 8;
const MAPPED_PREFIX_BYTES = 12;
/** Each byte as a decimal number: an address is wanted for every request that gets an X-Forwarded-For. */
const octets: readonly string[] = Array.from({ length: 256 }, (_, byte) => String(byte));

/**
 * An address in network byte order as text: dotted for IPv4 and for IPv4 mapped into IPv6, which is how a
 * dual-stack listener sees IPv4 clients; otherwise as RFC 5952 wants it. Empty for a unix socket.
 */
export function addressText(address: ArrayBuffer): string {
  const bytes = new Uint8Array(address);
  if (bytes.length === IPV4_BYTES) return dotted(bytes, 0);
  if (bytes.length !== IPV6_BYTES) return '';
  if (isMapped(bytes)) return dotted(bytes, MAPPED_PREFIX_BYTES);
  return groupsText(new DataView(address));
}

function dotted(bytes: Uint8Array, at: number): string {
  return `${octets[bytes[at]]}.${octets[bytes[at + 1]]}.${octets[bytes[at + 2]]}.${octets[bytes[at + 3]]}`;
}

/** ::ffff:0:0/96 (RFC 4291, section 2.5.5.2). */
function isMapped(bytes: Uint8Array): boolean {
  for (let i = 0; i < MAPPED_PREFIX_BYTES - 2; i++) if (bytes[i] !== 0) return false;
  return bytes[MAPPED_PREFIX_BYTES - 2] === 0xff && bytes[MAPPED_PREFIX_BYTES - 1] === 0xff;
}

/** The first of the longest runs of two or more zero groups becomes `::`. */
function groupsText(view: DataView): string {
  let bestStart = -1;
  let bestLength = 1;
  for (let i = 0; i < IPV6_GROUPS; i++) {
    let end = i;
    while (end < IPV6_GROUPS && view.getUint16(end * 2) === 0) end++;
    if (end - i > bestLength) {
      bestStart = i;
      bestLength = end - i;
    }
    if (end > i) i = end;
  }
  let text = '';
  for (let i = 0; i < IPV6_GROUPS; i++) {
    if (i === bestStart) {
      text += '::';
      i += bestLength - 1;
    } else {
      if (text !== '' && !text.endsWith('::')) text += ':';
      text += view.getUint16(i * 2).toString(16);
    }
  }
  return text;
}
