// Runs over one engine: the demo chooses its engine itself.
/**
 * What `npm install umbra` would bring: the packed files, and of their dependencies those that are not for
 * development.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { missing, runWell } from '../support/command.js';
import t from '../support/tap.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'umbra-package-'));
const installed = join(directory, 'package');
const npmEnv = { HOME: directory, npm_config_update_notifier: 'false' };
t.teardown(() => rmSync(directory, { recursive: true }));
t.setTimeout(120_000);

t.test('the packed files serve, with what a user has', { skip: missing('tar') }, async (t) => {
  // Without scripts: `prepare` would build under the feet of the tests beside this one.
  const packing = ['pack', '--ignore-scripts', '--json', '--pack-destination', directory];
  const { out } = await runWell('npm', packing, { cwd: root, env: npmEnv });
  const [packed] = JSON.parse(out.toString()) as { filename: string; files: { path: string }[] }[];
  const strays = packed!.files
    .map(({ path }) => path)
    .filter((path) => /^(dist\/)?(test|bench)\//.test(path));
  t.strictSame(strays, [], 'neither tests nor benches');
  await runWell('tar', ['-xzf', join(directory, packed!.filename), '-C', directory]);
  await linkDependencies();

  const umbra = join(installed, 'bin/umbra.js');
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  t.equal((await runWell(process.execPath, [umbra, '--version'])).out.toString().trim(), version);
  const demo = [umbra, 'demo', '--for', '1s', '--port', '0', '--admin-port', '0'];
  const played = (await runWell(process.execPath, demo)).out.toString();
  t.match(played, /clients made [1-9]\d* calls; 0 failed/);
});

/** Those that stand beside umbra itself; what stands within them comes along. */
async function linkDependencies(): Promise<void> {
  const { out } = await runWell('npm', ['ls', '--omit=dev', '--all', '--parseable'], {
    cwd: root,
    env: npmEnv,
  });
  const modules = join(root, 'node_modules');
  for (const path of out.toString().trim().split('\n')) {
    const name = relative(modules, path);
    if (name === '..' || name.includes('node_modules')) continue;
    const link = join(installed, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(path, link);
  }
}
