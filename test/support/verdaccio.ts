/**
 * The registry verdaccio as a version: in memory of this process, its packages in a directory, no registry
 * behind it.
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { runServer } from 'verdaccio';

export class Verdaccio {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Everybody may publish and install. */
  static async listen(directory: string): Promise<Verdaccio> {
    const configuration = join(directory, 'verdaccio.json');
    writeFileSync(
      configuration,
      JSON.stringify({
        storage: join(directory, 'storage'),
        uplinks: {},
        packages: { '**': { access: '$all', publish: '$all' } },
        auth: { htpasswd: { file: join(directory, 'htpasswd'), algorithm: 'bcrypt' } },
        web: { enable: false },
        logs: { type: 'stdout', level: 'fatal' },
      }),
    );
    const server = (await runServer(configuration)) as Server;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Verdaccio(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}
