import t from 'tap';
import { NatsLink } from '../../workers/nats/link.js';
import { NatsServer, noNats } from '../support/nats.js';
import { freePort } from '../support/ports.js';
import { until } from '../support/umbra.js';

t.test(
  'a server of a cluster that was not named is found when the named one is gone',
  { skip: noNats },
  async (t) => {
    const routes = [await freePort(), await freePort()];
    const servers = await Promise.all(
      routes.map((port, i) =>
        NatsServer.start(
          ...['--name', `one-of-two-${i}`, '--cluster_name', 'two', '--cluster', `nats://127.0.0.1:${port}`],
          ...['--routes', routes.map((route) => `nats://127.0.0.1:${route}`).join(',')],
        ),
      ),
    );
    t.teardown(() => Promise.all(servers.map((server) => server.stop())));
    const told: string[] = [];
    const link = new NatsLink(servers[0].place, {
      onUp: (connection) => told.push(`up ${connection.info?.server_name}`),
      onDown: (why) => told.push(why),
    });
    t.teardown(() => link.stop());
    await until(() => link.connection?.info?.connect_urls?.length === 2, 'both are known');
    await servers[0].kill();
    await until(() => told.length === 3, 'it is up again');
    t.strictSame(told, ['up one-of-two-0', 'the connection to NATS was lost', 'up one-of-two-1']);
  },
);
