import dns from 'node:dns';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NatsPlace } from '../../../core/plan.js';
import { NatsLink } from '../../../workers/nats/link.js';
import { authorityPem, serverKey, serverPem } from '../../support/authority.js';
import { NatsServer, noNats } from '../../support/nats.js';
import { freePort } from '../../support/ports.js';
import t, { type Test } from '../../support/tap.js';
import { until } from '../../support/umbra.js';

const skip = { skip: noNats };

async function cluster(t: Test, ...words: string[]): Promise<NatsServer[]> {
  const routes = [await freePort(), await freePort()];
  const servers = await Promise.all(
    routes.map((port, i) =>
      NatsServer.start(
        ...['--name', `one-of-two-${i}`, '--cluster_name', 'two', '--cluster', `nats://127.0.0.1:${port}`],
        ...['--routes', routes.map((route) => `nats://127.0.0.1:${route}`).join(',')],
        ...words,
      ),
    ),
  );
  t.teardown(() => Promise.all(servers.map((server) => server.stop())));
  return servers;
}

/** `place` is that of the first one. */
async function outlives(t: Test, [first]: readonly NatsServer[], place: NatsPlace): Promise<void> {
  const told: string[] = [];
  const link = new NatsLink(place, {
    onUp: (connection) => told.push(`up ${connection.info?.server_name}`),
    onDown: (why) => told.push(why),
  });
  t.teardown(() => link.stop());
  await until(() => link.connection?.info?.connect_urls?.length === 2, 'both are known');
  await first.kill();
  await until(() => told.length === 3, 'it is up again');
  t.strictSame(told, ['up one-of-two-0', 'the connection to NATS was lost', 'up one-of-two-1']);
}

t.test('a server of a cluster that was not named is found when the named one is gone', skip, async (t) => {
  const servers = await cluster(t);
  await outlives(t, servers, servers[0].place);
});

t.test('a server learned by its address has the certificate of the name', skip, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'umbra-nats-link-'));
  const path = (name: string, pem: string): string => {
    writeFileSync(join(directory, name), pem);
    return join(directory, name);
  };
  const { lookup } = dns;
  const { NATS_CA } = process.env;
  t.teardown(() => {
    dns.lookup = lookup;
    if (NATS_CA === undefined) delete process.env.NATS_CA;
    else process.env.NATS_CA = NATS_CA;
    rmSync(directory, { recursive: true });
  });
  process.env.NATS_CA = path('ca.pem', authorityPem);
  const named = (name: string): string => (name === 'reviews.test' ? '127.0.0.1' : name);
  dns.lookup = ((name: string, ...rest: [never, never]) => lookup(named(name), ...rest)) as never;
  const servers = await cluster(
    t,
    ...['--tls', '--tlscert', path('server.pem', serverPem), '--tlskey', path('server.key', serverKey)],
  );
  const place = { ...servers[0].place, servers: [`reviews.test:${servers[0].port}`], secure: true };
  await outlives(t, servers, place);
});
