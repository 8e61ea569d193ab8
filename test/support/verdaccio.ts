/**
 * The registry verdaccio as a version: in memory of this process, its packages in a directory, no registry
 * behind it.
 */
import { writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { LocalServer } from './local-server.js';

type RunServer = (configuration: string) => Promise<Server>;

/**
 * Why tests of verdaccio are skipped; false where it is installed. It brings 290 packages for one test, so it
 * is not among the project's own: `UMBRA_TEST_PACKAGES` names a directory in which test/packages was
 * installed.
 */
export const noVerdaccio =
  findVerdaccio() === null && 'UMBRA_TEST_PACKAGES names no directory with verdaccio';

function findVerdaccio(): string | null {
  const directory = process.env.UMBRA_TEST_PACKAGES;
  if (directory === undefined) return null;
  try {
    return createRequire(join(directory, 'package.json')).resolve('verdaccio');
  } catch {
    return null;
  }
}

export class Verdaccio extends LocalServer {
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
    const { runServer } = createRequire(import.meta.url)(findVerdaccio()!) as { runServer: RunServer };
    return new Verdaccio(await runServer(configuration)).listening();
  }
}
