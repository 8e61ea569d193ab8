/** The Host field of a copy, chosen by the mirror's policy. */
import type { HostPolicy } from '../plan.js';

/**
 * `shadowHost` returns the host of a copy. The policy `shadow` appends `-shadow` to the host name before the
 * port, as Envoy does, so that logs of the shadow can be distinguished. An IPv6 literal is not changed.
 */
export function shadowHost(policy: HostPolicy, host: string, endpointAuthority: string): string {
  switch (policy.kind) {
    case 'preserve':
      return host;
    case 'endpoint':
      return endpointAuthority;
    case 'set':
      return policy.value;
    case 'shadow': {
      if (host.startsWith('[') || host === '') return host;
      const colon = host.indexOf(':');
      return colon < 0 ? `${host}-shadow` : `${host.slice(0, colon)}-shadow${host.slice(colon)}`;
    }
  }
}
