// Runs over one engine: names are looked up behind the engines.
import { once } from 'node:events';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, askMany } from '../support/client.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import t from '../support/tap.js';
import { reviews, twoProxies, UmbraProcess, until } from '../support/umbra.js';

if (process.platform !== 'linux') {
  t.plan(0, 'only Linux has 127.0.0.2 without further ado');
  process.exit(0);
}

const preload = ['--import', new URL('../support/names.js', import.meta.url).href];
const directory = mkdtempSync(join(tmpdir(), 'umbra-names-'));
t.teardown(() => rmSync(directory, { recursive: true, force: true }));
let files = 0;

/** The resolver of one test. */
class Names {
  readonly file = join(directory, `${files++}.json`);
  set(names: Record<string, readonly string[] | null | 'hang'>): void {
    writeFileSync(`${this.file}.new`, JSON.stringify(names));
    renameSync(`${this.file}.new`, this.file);
  }
  get log(): string[] {
    return readFileSync(`${this.file}.log`, 'utf8').trim().split('\n');
  }
  async start(config: Parameters<typeof UmbraProcess.start>[0]): Promise<UmbraProcess> {
    process.env.UMBRA_TEST_NAMES = this.file;
    const umbra = await UmbraProcess.start(config, preload);
    t.teardown(() => umbra.stop());
    return umbra;
  }
}

/** Answers with the address that it listens on. */
class Place {
  readonly sockets = new Set<Socket>();
  requests = 0;
  private constructor(
    readonly host: string,
    private readonly server: Server,
  ) {}
  static async listen(host: string, port = 0): Promise<Place> {
    const server = createServer({ keepAliveTimeout: 0 }, (_request, response) => {
      place.requests++;
      response.end(host);
    });
    const place = new Place(host, server);
    server.on('connection', (socket) => {
      place.sockets.add(socket);
      socket.on('close', () => place.sockets.delete(socket));
    });
    server.listen(port, host);
    await once(server, 'listening');
    t.teardown(() => {
      server.closeAllConnections();
      server.close();
    });
    return place;
  }
  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }
}

async function bodyOf(umbra: UmbraProcess): Promise<string> {
  const { status, body } = await ask(umbra.port);
  return `${status} ${body.toString('latin1')}`;
}

const dns = { refresh: '50ms' };

function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index);
}

t.test('a name that moves takes its traffic along, without a restart or a failed request', async (t) => {
  const before = await Place.listen('127.0.0.1');
  const after = await Place.listen('127.0.0.2', before.port);
  const names = new Names();
  names.set({ 'v1.test': [before.host] });
  const umbra = await names.start(
    reviews(0, null, { v1: { endpoints: `http://v1.test:${before.port}`, dns } }),
  );
  const answers = new Set([await bodyOf(umbra)]);
  names.set({ 'v1.test': [after.host] });
  await until(async () => {
    answers.add(await bodyOf(umbra));
    return answers.size > 1 && before.sockets.size === 0;
  }, 'the name has moved and the old connections are closed');
  t.same([...answers].sort(), ['200 127.0.0.1', '200 127.0.0.2']);
  const { requests } = before;
  for (let i = 0; i < 20; i++) t.equal(await bodyOf(umbra), '200 127.0.0.2');
  t.equal(before.requests, requests);
  t.match(await umbra.logged(/v1\.test resolves to 127\.0\.0\.2/), {});
});

t.test('several addresses behind one name are each an endpoint', async (t) => {
  const places = [await Place.listen('127.0.0.1')];
  places.push(await Place.listen('127.0.0.2', places[0]!.port));
  const names = new Names();
  names.set({ 'v1.test': places.map((place) => place.host) });
  const config = reviews(0, null, { v1: { endpoints: `http://v1.test:${places[0]!.port}`, dns } });
  const umbra = await names.start({ ...config, threads: { proxy: 1, shadow: 1 } });
  for (let i = 0; i < 10; i++) await bodyOf(umbra);
  t.same(
    places.map((place) => place.requests),
    [5, 5],
  );
  const { versions } = await umbra.stats();
  t.same(
    versions.v1!.endpoints.map(({ endpoint, address }) => `${endpoint} ${address}`),
    places.map(({ host, port }) => `v1.test:${port} ${host}:${port}`),
  );
});

t.test('a resolver that fails or hangs takes no service with it, and failures are counted', async (t) => {
  const place = await Place.listen('127.0.0.1');
  const names = new Names();
  names.set({ 'v1.test': [place.host] });
  const umbra = await names.start(
    reviews(0, null, { v1: { endpoints: `http://v1.test:${place.port}`, dns } }),
  );
  names.set({ 'v1.test': null });
  await until(async () => (await umbra.stats()).dns[0]!.failures >= 3, 'three lookups have failed');
  t.equal(await bodyOf(umbra), '200 127.0.0.1');
  t.match(await umbra.metrics(), /umbra_upstream_dns_lookups_total\{name="v1\.test",result="failed"\} [1-9]/);
  t.match(await umbra.metrics(), /umbra_upstream_dns_addresses\{name="v1\.test"\} 1/);
  const told = umbra.err.match(/does not resolve/g) ?? [];
  t.equal(told.length, 1, 'a row of failures is reported once');

  names.set({ 'v1.test': 'hang' });
  await until(() => names.log.includes('resolver hangs on v1.test'), 'a lookup hangs');
  // New connections, too: those that were there are cut.
  for (const socket of place.sockets) socket.destroy();
  for (let i = 0; i < 20; i++) t.equal(await bodyOf(umbra), '200 127.0.0.1');
});

t.test('only the resolver process looks names up, and no thread does', async (t) => {
  const place = await Place.listen('127.0.0.1');
  const names = new Names();
  names.set({ 'v1.test': [place.host], 'v2.test': [place.host] });
  const umbra = await names.start(
    reviews(0, 0, {
      v1: { endpoints: `http://v1.test:${place.port}`, dns },
      v2: { endpoints: `http://v2.test:${place.port}`, dns, health: { path: '/', interval: '100ms' } },
      umbra: { threads: twoProxies },
    }),
  );
  for (let i = 0; i < 10; i++) await bodyOf(umbra);
  await lawHolds(t, umbra);
  const threads = (event: string) =>
    new Set(names.log.filter((line) => line.includes(event)).map((line) => line.split(' ')[0]));
  t.ok(threads('loaded').size >= 6, 'lookups of every thread would be logged');
  t.same([...threads('lookup')], ['resolver']);
});

t.test('lookups of shadows that hang do not delay the name of a primary', async (t) => {
  const before = await Place.listen('127.0.0.1');
  const after = await Place.listen('127.0.0.2', before.port);
  const shadows = range(6).map((i) => `s${i}`);
  const names = new Names();
  const all = ['v1', ...shadows].map((name) => [`${name}.test`, [before.host]] as const);
  names.set(Object.fromEntries(all));
  const config = reviews(0, null, { v1: { endpoints: `http://v1.test:${before.port}`, dns } });
  for (const name of shadows)
    config.versions[name] = { endpoints: `http://${name}.test:${before.port}`, dns };
  config.routes[0]!.mirrors = shadows.map((to) => ({ to }));
  const umbra = await names.start(config);
  names.set({
    ...Object.fromEntries(shadows.map((name) => [`${name}.test`, 'hang' as const])),
    'v1.test': [before.host],
  });
  await until(
    () => shadows.every((name) => names.log.includes(`resolver hangs on ${name}.test`)),
    'lookups of all shadows hang',
  );
  names.set({ 'v1.test': [after.host] });
  await until(async () => (await bodyOf(umbra)) === '200 127.0.0.2', 'the primary has moved');
  t.match(await umbra.logged(/v1\.test resolves to 127\.0\.0\.2/), {});
  // Neither do they delay a change, nor the end: a process waits for lookups that it runs itself.
  t.equal((await umbra.admin('PATCH', '/api/mirrors', { enabled: false })).status, 200);
});

t.test('a name that does not resolve holds neither the start nor other versions', async (t) => {
  const place = await Place.listen('127.0.0.1');
  const names = new Names();
  names.set({ 'v1.test': null });
  const umbra = await names.start(
    reviews(0, 0, {
      v1: { endpoints: `http://v1.test:${place.port}`, dns },
      v2: { endpoints: `http://v2.test:${place.port}`, dns },
    }),
  );
  await umbra.logged(/v1\.test does not resolve \(ENOTFOUND\); requests that need it fail/);
  t.match(await bodyOf(umbra), /^503 /);
  names.set({ 'v1.test': [place.host] });
  await until(async () => (await bodyOf(umbra)).startsWith('200 '), 'it has resolved');
  const stats = await lawHolds(t, umbra);
  t.equal(mirrorTo(stats, 'v2').dropped['no-endpoint'], mirrorTo(stats, 'v2').eligible);
  t.ok(stats.versions.v1!.primary!.failures['no-endpoint'] >= 1);
});

t.test('a reload with a new name waits for it, and does not lose requests', async (t) => {
  const place = await Place.listen('127.0.0.1');
  const names = new Names();
  names.set({ 'v1.test': [place.host], 'other.test': [place.host] });
  const config = reviews(0, null, { v1: { endpoints: `http://v1.test:${place.port}`, dns } });
  const umbra = await names.start(config);
  t.equal(await bodyOf(umbra), '200 127.0.0.1');
  config.versions.v1 = { endpoints: `http://other.test:${place.port}`, dns };
  t.equal((await umbra.admin('PUT', '/api/config', config)).status, 200);
  t.equal(await bodyOf(umbra), '200 127.0.0.1');
  const { dns: known } = await umbra.stats();
  t.same(
    known.map(({ name }) => name),
    ['other.test'],
  );
});

t.test('under load no request fails and every copy is accounted for, while both versions move', async (t) => {
  const places = [await Place.listen('127.0.0.1')];
  places.push(await Place.listen('127.0.0.2', places[0]!.port));
  const names = new Names();
  const at = (i: number) => [places[i % 2]!.host];
  names.set({ 'v1.test': at(0), 'v2.test': at(1) });
  const { port } = places[0]!;
  const umbra = await names.start(
    reviews(0, 0, {
      v1: { endpoints: `http://v1.test:${port}`, dns: { refresh: '10ms' } },
      v2: { endpoints: `http://v2.test:${port}`, dns: { refresh: '10ms' } },
      mirror: { inFlight: 16384 },
    }),
  );
  const statuses = new Map<number, number>();
  await askMany(
    umbra.port,
    600,
    16,
    (index) => {
      if (index % 60 === 0) names.set({ 'v1.test': at(index / 60), 'v2.test': at(index / 60 + 1) });
      return {
        method: index % 3 === 0 ? 'POST' : 'GET',
        body: index % 3 === 0 ? Buffer.from('hello') : null,
      };
    },
    ({ status }) => statuses.set(status, (statuses.get(status) ?? 0) + 1),
  );
  t.same([...statuses], [[200, 600]]);
  const { completed } = mirrorTo(await lawHolds(t, umbra), 'v2');
  t.equal(completed, 600);
  t.ok(umbra.err.match(/v1\.test resolves to/g)!.length > 2, 'it has moved');
});
