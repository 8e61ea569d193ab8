import type { ConnectionHolder, UpstreamConnection } from './connection.js';
import type { VersionPool } from './pool.js';

/**
 * Ties a client's connection to an upstream connection that carries its login (core/http/connection-login).
 * Between two requests the tie holds the upstream connection, and no other client gets it. There is one tie
 * per client connection.
 */
export class Tie implements ConnectionHolder {
  #connection: UpstreamConnection | null = null;

  hold(connection: UpstreamConnection): void {
    this.#connection?.close();
    this.#connection = connection;
  }

  /** `take` returns the held connection if it belongs to `pool` and is still open. */
  take(pool: VersionPool): UpstreamConnection | null {
    const connection = this.#connection;
    if (connection === null) return null;
    this.#connection = null;
    if (!connection.isClosed && connection.isOf(pool)) return connection;
    connection.close();
    return null;
  }

  /** `end` is called when the client's connection is gone. */
  end(): void {
    this.#connection?.close();
    this.#connection = null;
  }
}
