import { BlockList, isIP, isIPv6 } from 'node:net';
import { limits } from '../limits.js';
import { withoutBlanks } from '../trim.js';
import { fieldValues } from './fields.js';

const BITS_V4 = 32;
const BITS_V6 = 128;
/**
 * The number of peers whose result is cached. A listener trusts few peers, and each of them sends many
 * requests.
 */
const KNOWN_MAX = 1024;
const FOR = 'for=';

/** Networks whose proxies are trusted. An object belongs to one thread. */
export class Networks {
  readonly #list = new BlockList();
  readonly #unix: boolean;
  readonly #known = new Map<string, boolean>();

  /** `networks` are such as `10.0.0.0/8`, `192.0.2.1`, `2001:db8::/32` and `unix`, already validated. */
  constructor(networks: readonly string[]) {
    this.#unix = networks.includes('unix');
    for (const network of networks) {
      if (network === 'unix') continue;
      const [address, prefix] = network.split('/') as [string, string | undefined];
      const v6 = isIPv6(address);
      const bits = prefix === undefined ? (v6 ? BITS_V6 : BITS_V4) : Number(prefix);
      this.#list.addSubnet(address, bits, v6 ? 'ipv6' : 'ipv4');
    }
  }

  /** `has` takes an address without port, which is empty for a client of a unix socket. */
  has(address: string): boolean {
    if (address === '') return this.#unix;
    const known = this.#known.get(address);
    if (known !== undefined) return known;
    const version = isIP(address);
    // Such a name is not cached, because clients choose it and it may be long.
    if (version === 0) return false;
    const found = this.#list.check(address, version === 6 ? 'ipv6' : 'ipv4');
    if (this.#known.size === KNOWN_MAX) this.#known.clear();
    this.#known.set(address, found);
    return found;
  }

  /**
   * `clientOf` returns the client's address as far as it can be trusted. It is `peer`, and while that is in
   * these networks, the address that it reported. `fields` is a wire string.
   */
  clientOf(fields: string, peer: string, as: 'x-forwarded' | 'forwarded'): string {
    let client = peer;
    const named =
      as === 'forwarded' ? forwardedFor(fields) : fieldValues(fields, 'x-forwarded-for').split(',');
    const last = Math.max(0, named.length - limits.forwardedAddresses);
    for (let i = named.length - 1; i >= last && this.has(client); i--) {
      const address = bareAddress(withoutBlanks(named[i]!));
      if (address === '') break;
      client = address;
    }
    return client;
  }
}

/**
 * `forwardedFor` returns the addresses in `for=192.0.2.1` and `for="[2001:db8::1]:4711"` (RFC 7239, section
 * 6). No address contains a comma or a semicolon, so these separate the value even within quotes: a quote
 * that a client left open hides nothing that proxies have added.
 */
function forwardedFor(fields: string): string[] {
  const named: string[] = [];
  for (const element of fieldValues(fields, 'forwarded').split(',')) {
    for (const part of element.split(';')) {
      const pair = withoutBlanks(part);
      if (pair.slice(0, FOR.length).toLowerCase() === FOR) named.push(unquoted(pair.slice(FOR.length)));
    }
  }
  return named;
}

function unquoted(text: string): string {
  return text.length >= 2 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
}

/**
 * `bareAddress` returns an address without brackets and port, or '' for `unknown`, obfuscated names and
 * anything else.
 */
function bareAddress(text: string): string {
  if (isIP(text) !== 0) return text;
  const bracketed =
    /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text)?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(text)?.[1] ?? '';
  return isIP(bracketed) === 0 ? '' : bracketed;
}
