import { isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect, createSecureContext, type SecureContext } from 'node:tls';
import type { Address, EndpointPlan, VersionTlsPlan } from '../plan.js';

/**
 * The TLS settings of a version without a `tls` section: the system's authorities and the endpoint's own
 * name.
 */
const plainDefaults: VersionTlsPlan = { ca: null, cert: null, key: null, serverName: null, verify: true };

/** Options of reads into a buffer, as in `net.Socket`. */
interface ReadInto {
  readonly buffer: Buffer;
  readonly callback: (bytes: number) => boolean;
}
/** Missing from Node's declarations, but passed to the socket (seen on Node 20 to 24). */
type OptionsWithRead = ConnectionOptions & { readonly onread: ReadInto };

/**
 * Opens the TLS connections of one version on one thread. The certificates are parsed when the first
 * connection is opened, so a thread that opens none pays nothing. A change of the version's plan makes a new
 * pool with a new connector.
 */
export class TlsConnector {
  readonly #plan: VersionTlsPlan;
  #context: SecureContext | null = null;

  constructor(plan: VersionTlsPlan | null) {
    this.#plan = plan ?? plainDefaults;
  }

  /**
   * `open` connects to `address`, which is one of `endpoint`'s. `session` is from an earlier connection to
   * the same endpoint and shortens the handshake. `protocols` are offered (RFC 7301). The socket is usable
   * after `secureConnect`.
   */
  open(
    endpoint: EndpointPlan,
    address: Address & { readonly kind: 'tcp' },
    session: Buffer | null,
    protocols: string[],
    onread: ReadInto,
  ): Socket {
    const { ca, cert, key, serverName, verify } = this.#plan;
    this.#context ??= createSecureContext({
      ...(ca === null ? {} : { ca: ca.pem }),
      ...(cert === null ? {} : { cert: cert.pem }),
      ...(key === null ? {} : { key: key.pem }),
    });
    // An address can't be a server name (RFC 6066, section 3). The certificate is still checked against it.
    const host = endpoint.address.kind === 'tcp' ? endpoint.address.host : '';
    const name = serverName ?? (isIP(host) === 0 ? host : '');
    const options: OptionsWithRead = {
      host: address.host,
      port: address.port,
      secureContext: this.#context,
      servername: name,
      rejectUnauthorized: verify,
      ALPNProtocols: protocols,
      ...(session === null ? {} : { session }),
      onread,
    };
    return connect(options);
  }
}
