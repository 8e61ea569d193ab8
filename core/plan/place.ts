/** Where something is on the network, and the files that say who it is. */

export type Address =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** A PEM file as it was when the configuration was loaded: another content is another plan. */
export interface PemFile {
  readonly path: string;
  readonly pem: string;
}

export interface NatsPlace {
  /** `host:port` of servers of one cluster. */
  readonly servers: readonly string[];
  /** No connection without TLS. */
  readonly secure: boolean;
  /** Null: credentials come from the environment, if there are any. */
  readonly user: string | null;
  /** Null where `user` is one: it is a token. */
  readonly password: string | null;
}
