// Runs over one engine: the main process, which no engine is part of, speaks with systemd.
/** What systemd learns of umbra. A socket of the same kind stands for systemd's own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ask } from '../support/client.js';
import { NotifySocket, withoutNotify } from '../support/notify-socket.js';
import { Origin } from '../support/origin.js';
import { freePort } from '../support/ports.js';
import t from '../support/tap.js';
import { ConfigFile, reviews, twoProxies, UmbraProcess, until } from '../support/umbra.js';

const binary = fileURLToPath(new URL('../../../bin/umbra.js', import.meta.url));
const skip = process.platform !== 'linux' ? 'systemd is on Linux alone' : withoutNotify;
const directory = mkdtempSync(join(tmpdir(), 'umbra-service-'));
t.teardown(() => rmSync(directory, { recursive: true }));
t.setTimeout(120_000);

/** Words of a command that systemd starts. */
function underSystemd(variables: Record<string, string>, ...words: string[]): string[] {
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  return ['env', '-u', 'NODE_OPTIONS', ...assignments, process.execPath, ...words];
}

t.test('systemd is notified when umbra serves, reloads and stops', { skip }, async (t) => {
  const [socket, v1] = [await NotifySocket.listen(), await Origin.listen()];
  const file = new ConfigFile(reviews(v1.port, null, { umbra: { drain: '5s' } }));
  const variables = { NOTIFY_SOCKET: socket.path };
  const umbra = await UmbraProcess.startInstalled(underSystemd(variables, binary, 'run', file.path));
  t.strictSame(await socket.received(/^READY=1$/), [
    ['READY=1', `MAINPID=${umbra.pid}`, `STATUS=serving ${umbra.url}`],
  ]);

  const beforeUs = process.hrtime.bigint() / 1000n;
  umbra.signal('SIGHUP');
  const reloaded = await socket.received(/^READY=1$/, 1);
  t.match(reloaded[1], ['RELOADING=1', /^MONOTONIC_USEC=\d+$/]);
  const atUs = BigInt(reloaded[1]![1]!.slice('MONOTONIC_USEC='.length));
  t.ok(atUs >= beforeUs && atUs <= process.hrtime.bigint() / 1000n, 'the time is that of CLOCK_MONOTONIC');
  t.strictSame(reloaded[2], ['READY=1', `STATUS=serving ${umbra.url}`]);

  file.write('listen: [');
  const refused = await socket.received(/^READY=1$/, 3);
  t.match(refused.at(-1)?.[1], /^STATUS=serving .*; the last reload was refused: .*umbra\.yaml:1:\d+: /);

  umbra.signal('SIGTERM');
  t.strictSame((await socket.received(/^STOPPING=1$/)).at(-1), [
    'STOPPING=1',
    'STATUS=draining after SIGTERM',
    'EXTEND_TIMEOUT_USEC=15000000',
  ]);
  t.strictSame(await umbra.ended, { code: 0, signal: null });
  file.remove();
  socket.close();
  await v1.close();
});

t.test('the main process of a unit changes before the old one ends', { skip }, async (t) => {
  const [socket, v1] = [await NotifySocket.listen(), await Origin.listen()];
  const port = await freePort();
  const config = reviews(v1.port, null, { umbra: { admin: { address: `127.0.0.1:${await freePort()}` } } });
  const file = new ConfigFile({ ...config, listen: [{ address: `127.0.0.1:${port}` }] });
  const pidFile = join(directory, 'pid');
  const words = ['run', '-c', file.path, '--takeover', pidFile];
  // Those of systemd, which a process of its ExecReload= does not have.
  const ofMain = { WATCHDOG_USEC: '1000000', WATCHDOG_PID: '1', SYSTEMD_EXEC_PID: '1' };
  const variables = { NOTIFY_SOCKET: socket.path };
  const old = await UmbraProcess.startInstalled(underSystemd({ ...variables, ...ofMain }, binary, ...words));
  await socket.received(/^READY=1$/);

  const reload = [binary, 'reload', '--pid', String(old.pid), '--replace'];
  const next = await UmbraProcess.startInstalled(underSystemd(variables, ...reload));
  t.teardown(() => process.kill(next.pid, 'SIGTERM'));
  t.not(next.pid, old.pid);
  const report = `process ${next.pid} has taken over from process ${old.pid}\n`;
  await until(() => next.out.includes(report), 'the command reports it');
  t.strictSame(await old.ended, { code: 0, signal: null });
  t.equal((await ask(port)).status, 200);
  t.equal((await next.admin('GET', '/readyz')).status, 200);
  const all = await socket.received(/^WATCHDOG=1$/);
  t.strictSame(
    all.slice(1, 3),
    [[`MAINPID=${next.pid}`], ['READY=1', `MAINPID=${next.pid}`, `STATUS=serving ${next.url}`]],
    'the old process says nothing of a stop',
  );

  const refused = await UmbraProcess.startInstalled(
    underSystemd({}, binary, 'reload', '--pid', String(next.pid), '--replace'),
  ).catch(String);
  t.match(refused, /it belongs to a unit of systemd, whose ExecReload= must do that/);
  file.remove();
  socket.close();
  await v1.close();
});

t.test('signs of life end while a thread does not respond', { skip }, async (t) => {
  const [socket, v1] = [await NotifySocket.listen(), await Origin.listen()];
  const file = new ConfigFile(reviews(v1.port, null, { umbra: { threads: twoProxies } }));
  const [hook, flag] = [join(directory, 'hang.cjs'), join(directory, 'hang')];
  writeFileSync(
    hook,
    `const { workerData: start } = require('node:worker_threads');
const { existsSync } = require('node:fs');
const cell = new Int32Array(new SharedArrayBuffer(4));
const hang = () => { while (existsSync('${flag}')) Atomics.wait(cell, 0, 0, 50); };
if (start?.kind === 'proxy' && start.index === 1) setInterval(hang, 20).unref();
`,
  );
  const variables = { NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '1000000' };
  const words = underSystemd(variables, '--require', hook, binary, 'run', file.path);
  const umbra = await UmbraProcess.startInstalled(words);
  await socket.received(/^WATCHDOG=1$/);
  writeFileSync(flag, '');
  await umbra.logged(/proxy thread 1 does not respond/);
  // One that was sent just before may still be on its way: the text of a reload comes after it.
  umbra.signal('SIGHUP');
  const { length } = await socket.received(/^RELOADING=1$/);
  rmSync(flag);
  await umbra.logged(/proxy thread 1 responds again/);
  await socket.received(/^WATCHDOG=1$/, length);
  const between = socket.messages.slice(length);
  t.ok(
    between.findIndex(([first]) => first === 'READY=1') <
      between.findIndex(([first]) => first === 'WATCHDOG=1'),
    'none before the thread took the plan',
  );
  t.equal((await umbra.stop()).code, 0);
  file.remove();
  socket.close();
  await v1.close();
});

t.test('without systemd-notify umbra serves, and logs why systemd hears nothing', async (t) => {
  const v1 = await Origin.listen();
  const file = new ConfigFile(reviews(v1.port, null));
  const variables = { NOTIFY_SOCKET: '/nonexistent/notify', PATH: '/nonexistent' };
  const words = ['/usr/bin/env', ...underSystemd(variables, binary, 'run', file.path).slice(1)];
  const umbra = await UmbraProcess.startInstalled(words);
  await umbra.logged(/systemd can't be notified: systemd-notify ended with 127 \(.*not found\)/);
  t.equal((await ask(umbra.port)).status, 200);
  t.equal((await umbra.stop()).code, 0);
  file.remove();
  await v1.close();
});
