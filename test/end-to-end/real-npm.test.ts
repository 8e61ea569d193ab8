// Runs over one engine: what npm asks is asked by other clients on both engines.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runWell } from '../support/command.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import { Origin } from '../support/origin.js';
import t from '../support/tap.js';
import { reviews, UmbraProcess } from '../support/umbra.js';
import { noVerdaccio, Verdaccio } from '../support/verdaccio.js';
import { bodyOf } from './mixed.js';

const leafCount = 3;
/** Does not compress, so that its tarball has its size too. */
const asset = bodyOf(12, 900_000);

t.test(
  'npm publishes packages to verdaccio through umbra, and installs them and what they depend on',
  { skip: noVerdaccio },
  async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'umbra-npm-'));
    const [v1, v2] = [await Verdaccio.listen(directory), await Origin.listen()];
    const umbra = await UmbraProcess.start(
      reviews(v1.port, v2.port, {
        mirror: { body: { max: '16MiB' }, host: 'preserve', inFlight: 4096 },
        umbra: { threads: { proxy: 1, shadow: 1, ring: '32MiB' } },
      }),
    );
    t.teardown(async () => {
      await umbra.stop();
      await Promise.all([v1.close(), v2.close()]);
      rmSync(directory, { recursive: true, force: true });
    });
    // The token is asked for by npm alone, and no other registry is known to it.
    writeFileSync(
      join(directory, 'npmrc'),
      `registry=${umbra.url}/
//${umbra.host}:${umbra.port}/:_authToken=none
cache=${join(directory, 'cache')}
audit=false
fund=false
update-notifier=false
fetch-retries=0
`,
    );
    const env = {
      HOME: directory,
      npm_config_userconfig: join(directory, 'npmrc'),
      npm_config_globalconfig: join(directory, 'no-npmrc'),
      no_proxy: '*',
    };
    const npm = (where: string, ...words: string[]): Promise<unknown> =>
      runWell('npm', words, { cwd: join(directory, where), env });
    const write = (where: string, manifest: object): void => {
      mkdirSync(join(directory, where));
      writeFileSync(join(directory, where, 'package.json'), JSON.stringify(manifest));
    };

    const leaves = Array.from({ length: leafCount }, (_, index) => `leaf-${index}`);
    const dependencies = Object.fromEntries(leaves.map((name) => [name, '1.0.0']));
    for (const name of leaves) write(name, { name, version: '1.0.0' });
    write('trunk', { name: 'trunk', version: '2.1.0', dependencies });
    writeFileSync(join(directory, 'trunk', 'asset.bin'), asset);
    write('app', { name: 'app', version: '1.0.0', private: true, dependencies: { trunk: '^2.0.0' } });
    // One after the other: a start of npm is work enough for a small machine.
    await npm('trunk', 'publish');
    for (const name of leaves) await npm(name, 'publish');

    // With a cache of its own: what was published is in the other one, and would not be asked for.
    await npm('app', 'install', '--cache', join(directory, 'cache-of-app'));
    const installed = (name: string, file: string): Buffer =>
      readFileSync(join(directory, 'app', 'node_modules', name, file));
    t.ok(installed('trunk', 'asset.bin').equals(asset), 'npm checked its digest, and so do we');
    for (const name of leaves) t.match(JSON.parse(String(installed(name, 'package.json'))), { name });
    const locked = readFileSync(join(directory, 'app', 'package-lock.json'), 'utf8');
    t.match(locked, `"resolved": "${umbra.url}/trunk/-/trunk-2.1.0.tgz"`);

    const stats = await lawHolds(t, umbra);
    t.equal(mirrorTo(stats, 'v2').completed, stats.versions.v1.primary?.requests);
    const tarballs = v2.received.filter(({ target }) => target.endsWith('.tgz'));
    t.equal(tarballs.length, leafCount + 1, 'the shadow was asked for each tarball too');
  },
);
