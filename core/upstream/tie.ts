import type { ConnectionHolder, UpstreamConnection } from './connection.js';
import type { VersionPool } from './pool.js';

/**
 * What ties a client's connection to an upstream connection that carries its login
 * (core/http/connection-login): between two requests the upstream connection is held here, and no other
 * client gets it. One per client connection.
 */
export class Tie implements ConnectionHolder {
  #connection: UpstreamConnection | null = null;

  hold(connection: UpstreamConnection): void {
    this.#connection?.close();
    this.#connection = connection;
  }

  /** The connection that is held, if it is one of `pool` and still open. */
  take(pool: VersionPool): UpstreamConnection | null {
    const connection = this.#connection;
    if (connection === null) return null;
    this.#connection = null;
    if (!connection.isClosed && connection.isOf(pool)) return connection;
    connection.close();
    return null;
  }

  /** The client's connection is gone. */
  end(): void {
    this.#connection?.close();
    this.#connection = null;
  }
}
