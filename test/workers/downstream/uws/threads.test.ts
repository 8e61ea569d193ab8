import { once } from 'node:events';
import net from 'node:net';
import { Worker } from 'node:worker_threads';
import { UwsAcceptor } from '../../../../workers/downstream/uws/acceptor.js';
import type { UwsDescriptor } from '../../../../workers/downstream/uws/binding.js';
import { listenerPlan } from '../../../support/listener.js';
import t, { type Test } from '../../../support/tap.js';
import type { ChildMessage } from './child.js';
import { Client, get, host, loopback, skipWord, uws } from './rig.js';

const options = { skip: skipWord };

class Child {
  readonly worker = new Worker(new URL('./child.js', import.meta.url), {
    // The test runner's own hooks are slow to load, and are of no use to a proxy thread.
    execArgv: [],
  });
  descriptor = 0 as UwsDescriptor;
  connectionsAtTheEnd = -1;
  readonly exited: Promise<unknown>;

  constructor() {
    this.exited = once(this.worker, 'exit');
    this.worker.on('message', (message: ChildMessage) => {
      if (message.type === 'left') this.connectionsAtTheEnd = message.connections;
    });
  }

  async said(type: ChildMessage['type']): Promise<void> {
    for (;;) {
      const [message] = (await once(this.worker, 'message')) as [ChildMessage];
      if (message.type === 'ready') this.descriptor = message.descriptor as UwsDescriptor;
      if (message.type === type) return;
    }
  }

  async leave(acceptor: UwsAcceptor, how: 'drain' | 'leave' = 'leave'): Promise<void> {
    acceptor.removeChild(this.descriptor);
    this.worker.postMessage(how);
    await this.exited;
  }
}

async function start(t: Test, count: number): Promise<{ acceptor: UwsAcceptor; children: Child[] }> {
  const acceptor = await UwsAcceptor.listen(uws, listenerPlan({ address: loopback, engine: 'uws' }));
  const children = Array.from({ length: count }, () => new Child());
  await Promise.all(children.map((child) => child.said('ready')));
  for (const child of children) acceptor.addChild(child.descriptor);
  t.teardown(() => acceptor.close());
  return { acceptor, children };
}

function connect(acceptor: UwsAcceptor): Client {
  return new Client(net.connect(acceptor.port, '127.0.0.1'));
}

async function ask(client: Client): Promise<number> {
  client.send(get);
  return Number((await client.answer()).body);
}

t.test('two threads share the connections of one acceptor', options, async (t) => {
  const { acceptor, children } = await start(t, 2);
  const clients = Array.from({ length: 100 }, () => connect(acceptor));
  const threads = await Promise.all(clients.map(ask));
  for (const { worker } of children) t.equal(threads.filter((id) => id === worker.threadId).length, 50);
  t.same(await Promise.all(clients.map(ask)), threads, 'a connection stays with its thread');
  for (const client of clients) client.destroy();
  for (const child of children) {
    await child.leave(acceptor);
    t.equal(child.connectionsAtTheEnd, 0);
  }
});

t.test('a thread leaves, and the other one’s clients notice nothing', options, async (t) => {
  const { acceptor, children } = await start(t, 2);
  const [leaver, stayer] = children as [Child, Child];
  const leaverId = leaver.worker.threadId;
  const stayerId = stayer.worker.threadId;
  const clients = Array.from({ length: 40 }, () => connect(acceptor));
  const threads = await Promise.all(clients.map(ask));
  const kept = clients.filter((_client, i) => threads[i] === stayerId);
  t.equal(kept.length, 20);

  // Load on the connections that stay, and new connections all the time: each is handed to one of the two.
  let leaving = true;
  let asked = 0;
  let wrong = 0;
  const load = kept.map(async (client) => {
    while (leaving) {
      if ((await ask(client)) !== stayerId) wrong++;
      asked++;
    }
  });
  let fresh = 0;
  let lost = 0;
  const arrivals = Array.from({ length: 4 }, async () => {
    while (leaving) {
      const client = connect(acceptor);
      try {
        await ask(client);
        fresh++;
      } catch {
        // It was handed to the thread that was just leaving.
        lost++;
      }
      client.destroy();
    }
  });
  while (fresh < 50) await new Promise(setImmediate);
  await leaver.leave(acceptor);
  t.equal(leaver.connectionsAtTheEnd, 0);
  const before = fresh;
  while (fresh < before + 50) await new Promise(setImmediate);
  leaving = false;
  await Promise.all([...load, ...arrivals]);
  t.ok(asked > 0);
  t.equal(wrong, 0);
  t.comment(
    `${asked} requests on kept connections, ${fresh} new connections served, ${lost} met the leaving thread`,
  );

  // A new thread takes the place of the one that left.
  const next = new Child();
  await next.said('ready');
  acceptor.addChild(next.descriptor);
  const ids = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const client = connect(acceptor);
      const id = await ask(client);
      client.destroy();
      return id;
    }),
  );
  t.ok(ids.includes(next.worker.threadId) && ids.includes(stayerId) && !ids.includes(leaverId));
  for (const client of clients) client.destroy();
  await stayer.leave(acceptor, 'drain');
  await next.leave(acceptor, 'drain');
});

t.test('a thread that throws under load is taken out without harm', options, async (t) => {
  const { acceptor, children } = await start(t, 2);
  const [broken, sound] = children as [Child, Child];
  const clients = Array.from({ length: 20 }, () => connect(acceptor));
  const threads = await Promise.all(clients.map(ask));
  const brokenId = broken.worker.threadId;
  const ofBroken = clients.filter((_client, i) => threads[i] === brokenId);
  const ofSound = clients.filter((_client, i) => threads[i] !== brokenId);

  const left = broken.said('leaving');
  // Some are in flight and will not be answered, one makes the thread throw, others come after it.
  ofBroken[0]!.send(`GET /never HTTP/1.1\r\n${host}\r\n`);
  ofBroken[1]!.send(`GET /throw HTTP/1.1\r\n${host}\r\n`);
  ofBroken[2]!.send(`POST /throw HTTP/1.1\r\n${host}Content-Length: 3\r\n\r\nabc`);
  ofBroken[3]!.send(`POST /throw HTTP/1.1\r\n${host}Content-Length: 3\r\n\r\n`);
  ofBroken[4]!.send(get);
  await left;
  await broken.leave(acceptor);
  for (const client of ofBroken) await client.closed();
  for (const client of ofSound) t.equal(await ask(client), sound.worker.threadId);
  for (const client of ofSound) client.destroy();
  await sound.leave(acceptor);
});

t.test('without any thread the acceptor answers 503', options, async (t) => {
  const { acceptor } = await start(t, 0);
  const client = connect(acceptor);
  client.send(get);
  t.match(await client.closed(), /^HTTP\/1\.1 503 Service Unavailable\r\n/);
});
