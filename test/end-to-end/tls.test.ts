// Runs over one engine: versions are reached over TLS behind the engines.
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { authorityPem, serverKey, serverPem } from '../support/authority.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import t from '../support/tap.js';
import { reviews, UmbraProcess } from '../support/umbra.js';

const directory = mkdtempSync(join(tmpdir(), 'umbra-tls-'));
t.teardown(() => rmSync(directory, { recursive: true, force: true }));
const ca = join(directory, 'ca.pem');
writeFileSync(ca, authorityPem);

/** Says which version it is and how many bytes it got. */
async function version(name: string): Promise<Server> {
  const server = createServer({ cert: serverPem, key: serverKey }, async (request, response) => {
    let bytes = 0;
    for await (const piece of request) bytes += piece.length;
    response.end(`${name} ${request.method} ${bytes}`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return server;
}

t.test(
  'primary and shadow are reached over TLS, and a wrong authority is a 502 of the reason tls',
  async (t) => {
    const ports = [await version('v1'), await version('v2')].map(
      (server) => (server.address() as AddressInfo).port,
    );
    const endpoints = ports.map((port) => `https://127.0.0.1:${port}`);
    const config = reviews(0, 0, {
      v1: { endpoints: endpoints[0], tls: { ca } },
      v2: { endpoints: endpoints[1], tls: { ca, serverName: 'reviews.test' } },
    });
    const umbra = await UmbraProcess.start(config);
    t.teardown(() => umbra.stop());
    const body = Buffer.alloc(300_000, 'x');
    for (let i = 0; i < 10; i++) {
      t.equal(await (await fetch(umbra.url)).text(), 'v1 GET 0');
      t.equal(await (await fetch(umbra.url, { method: 'POST', body })).text(), 'v1 POST 300000');
    }
    const stats = await lawHolds(t, umbra);
    t.equal(mirrorTo(stats, 'v2').completed, 20);
    t.equal(stats.versions.v2!.shadow!.responses['2xx'], 20);

    umbra.file.write({ ...config, versions: { ...config.versions, v1: { endpoints: endpoints[0] } } });
    umbra.signal('SIGHUP');
    await umbra.logged(/configuration/);
    let response = await fetch(umbra.url);
    while (response.status === 200) {
      await response.text();
      response = await fetch(umbra.url);
    }
    t.equal(response.status, 502);
    t.equal(await response.text(), 'upstream TLS handshake failed\n');
    t.ok((await umbra.stats()).versions.v1!.primary!.failures.tls! > 0);
  },
);
