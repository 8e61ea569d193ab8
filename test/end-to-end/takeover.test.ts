// Runs over both engines.
import { existsSync, lstatSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, RawClient } from '../support/client.js';
import { behaviour, skipTakeover as skip } from '../support/engines.js';
import { Origin } from '../support/origin.js';
import t from '../support/tap.js';
import {
  ConfigFile,
  engine,
  onPort,
  reviews,
  runToEnd,
  twoProxies,
  UmbraProcess,
  until,
} from '../support/umbra.js';

t.test('no request fails while process after process takes over', { skip }, async (t) => {
  const v1 = await Origin.listen();
  const config = reviews(v1.port, null, { umbra: { drain: '20s', threads: twoProxies } });
  let umbra = await UmbraProcess.start(config);
  const { port } = umbra;
  const following = onPort(config, umbra);
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const failures: unknown[] = [];
  let done = 0;
  let over = false;
  const worker = async (): Promise<void> => {
    while (!over) {
      try {
        const answer = await ask(port, { agent });
        if (answer.status !== 200) failures.push(answer.status);
      } catch (error) {
        failures.push(String(error));
      }
      done++;
    }
  };
  const workers = Array.from({ length: 8 }, worker);
  for (let round = 0; round < 2; round++) {
    const before = umbra;
    const served = done;
    umbra = await UmbraProcess.startInPlaceOf(String(before.pid), following);
    t.strictSame(await before.ended, { code: 0, signal: null }, 'the old one ends by itself');
    t.match(before.err, /another process has taken over: draining/);
    t.equal((await umbra.admin('GET', '/readyz')).status, 200, 'the admin address is the new one');
    t.ok(done > served);
  }
  over = true;
  await Promise.all(workers);
  agent.destroy();
  t.strictSame(failures, []);
  await umbra.stop();
  await v1.close();
});

t.test(
  'a client that is idle at a takeover is served by the old process until it is notified',
  { skip },
  async (t) => {
    const v1 = await Origin.listen();
    const config = reviews(v1.port, null, { umbra: { drain: '1h' } });
    const old = await UmbraProcess.start(config);
    const client = await RawClient.connect(old.port);
    client.send('GET / HTTP/1.1\r\nhost: h\r\n\r\n');
    await client.until('ok\n');
    const next = await UmbraProcess.startInPlaceOf(String(old.pid), onPort(config, old));
    client.received = '';
    client.send('GET / HTTP/1.1\r\nhost: h\r\n\r\n');
    t.match(await client.end(), /^HTTP\/1\.1 200 [\s\S]*connection: close[\s\S]*ok\n$/i);
    t.strictSame(await old.ended, { code: 0, signal: null }, 'with its last client');
    t.equal((await ask(next.port)).status, 200);
    await next.stop();
    await v1.close();
  },
);

t.test('a document that is answered 200 during a takeover is in force after it', { skip }, async (t) => {
  const v1 = await Origin.listen();
  const state = join(t.testdir(), 'state');
  const config = reviews(v1.port, null, { umbra: { documents: { state } } });
  const old = await UmbraProcess.start(config);
  const host = 'v1.default.svc.cluster.local';
  const service = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: { name: 'v1' },
    spec: {
      hosts: [host],
      ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
      resolution: 'STATIC',
      endpoints: [{ address: '127.0.0.1', ports: { http: v1.port } }],
    },
  };
  t.equal((await old.admin('POST', '/api/apply', service)).status, 200);
  const answered: string[] = [];
  let over = false;
  const applying = (async () => {
    for (let i = 0; !over; i++) {
      const route = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute' };
      const spec = { rules: [{ backendRefs: [{ name: 'v1', port: 80 }] }], hostnames: [`h${i}.test`] };
      const document = JSON.stringify({ ...route, metadata: { name: `r${i}` }, spec });
      // Refused and not answered are as good: only a 200 is a promise.
      const answer = await old.admin('POST', '/api/apply', document).catch(() => null);
      if (answer?.status === 200) answered.push(`h${i}.test`);
      else await new Promise(setImmediate);
    }
  })();
  await until(() => answered.length > 0, 'documents are applied');
  const next = await UmbraProcess.startInPlaceOf(String(old.pid), onPort(config, old));
  over = true;
  await applying;
  await old.ended;
  const inForce = (await next.admin('GET', '/api/config')).text;
  t.strictSame(
    answered.filter((name) => !inForce.includes(name)),
    [],
    `all of ${answered.length} are in force`,
  );
  const second = new ConfigFile(config);
  const { code, err } = await runToEnd('run', '-c', second.path);
  t.strictSame(
    [code, err.includes(`in use by process ${next.pid}`)],
    [1, true],
    'one process owns the state',
  );
  await next.stop();
  await v1.close();
});

t.test('a unix socket changes hands with its mode, and whoever is left removes it', async (t) => {
  if (process.platform !== 'linux' || behaviour.countsLateHeads)
    return t.pass('# SKIP the uws engine on Linux alone');
  const directory = mkdtempSync(join(tmpdir(), 'umbra-takeover-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const [path, pidFile] = [join(directory, 'u.sock'), join(directory, 'pid')];
  const v1 = await Origin.listen();
  const config = reviews(v1.port, null, {
    umbra: {
      listen: [{ address: `unix:${path}`, engine, mode: '0620' }],
      admin: 'off',
      threads: { proxy: 1, shadow: 1 },
    },
  });
  const askSocket = (): Promise<number> =>
    new Promise((resolve, reject) => {
      const call = request({ socketPath: path, agent: false }, (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode!));
      });
      call.on('error', reject);
      call.end();
    });
  writeFileSync(pidFile, '999999999\n');
  const old = await UmbraProcess.startInPlaceOf(pidFile, config);
  t.equal(readFileSync(pidFile, 'utf8'), `${old.pid}\n`, 'nobody was there: an ordinary start');
  t.equal(lstatSync(path).mode & 0o777, 0o620);
  t.equal(await askSocket(), 200);
  const next = await UmbraProcess.startInPlaceOf(pidFile, config);
  t.strictSame(await old.ended, { code: 0, signal: null });
  t.equal(readFileSync(pidFile, 'utf8'), `${next.pid}\n`);
  t.equal(await askSocket(), 200);
  t.strictSame(await next.stop(), { code: 0, signal: null });
  t.equal(existsSync(path), false);
  await v1.close();
});

t.test(
  'without --takeover a port that is taken is refused, and so is a number that is not that of an umbra',
  async (t) => {
    const v1 = await Origin.listen();
    const config = reviews(v1.port, null);
    const umbra = await UmbraProcess.start(config);
    await t.rejects(UmbraProcess.start(onPort(config, umbra)), /the address is in use/);
    t.equal((await ask(umbra.port)).status, 200);
    const ended = await runToEnd('run', '-c', umbra.file.path, '--takeover', '999999999');
    t.equal(ended.code, 1);
    t.match(ended.err, /no umbra of this user has this pid/);
    await umbra.stop();
    await v1.close();
  },
);
