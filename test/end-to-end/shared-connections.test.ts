// Runs over both engines.
/** Connections to a version that many clients share: what streams on them, and who is logged in on them. */

import { ask, RawClient } from '../support/client.js';
import { served } from '../support/engines.js';
import { Origin } from '../support/origin.js';
import { type RawPeer, RawServer } from '../support/raw-server.js';
import t, { type Test } from '../support/tap.js';
import { reviews, UmbraProcess } from '../support/umbra.js';

const get = 'GET / HTTP/1.1\r\nhost: reviews\r\n\r\n';

/** Starts `count` clients that each have the beginning of a stream without end. */
async function streams(t: Test, umbra: UmbraProcess, count: number): Promise<void> {
  const clients = await Promise.all(Array.from({ length: count }, () => RawClient.connect(umbra.port)));
  t.teardown(() => clients.forEach((client) => void client.socket.destroy()));
  for (const client of clients) client.send('GET /stream HTTP/1.1\r\nhost: reviews\r\n\r\n');
  await Promise.all(clients.map((client) => client.until('data: 1\n\n')));
}

async function streaming(t: Test, version: object): Promise<UmbraProcess> {
  const v1 = await Origin.listen(({ target }, response) => {
    if (target === '/stream') response.write('data: 1\n\n');
    else response.end('ok');
  });
  const umbra = await UmbraProcess.start(
    reviews(v1.port, null, { v1: version, umbra: { threads: { proxy: 1, shadow: 1 } } }),
  );
  t.teardown(() => Promise.all([umbra.stop(), v1.close()]));
  return umbra;
}

const counted = async (umbra: UmbraProcess, name: string): Promise<number> => {
  const values = (await umbra.metrics()).matchAll(new RegExp(`^${name}\\{[^}]*\\} (\\d+)$`, 'gm'));
  return [...values].reduce((total, [, value]) => total + Number(value), 0);
};

t.test('300 streams leave room for every other request of their version', async (t) => {
  const umbra = await streaming(t, {});
  await streams(t, umbra, 300);
  t.equal((await ask(umbra.port)).status, 200);
  t.equal(await counted(umbra, 'umbra_upstream_connections_high_total'), 0);
});

t.test('a counter says that connections run short before a request waits for one', async (t) => {
  const umbra = await streaming(t, { connections: { max: 10 } });
  const high = () => counted(umbra, 'umbra_upstream_connections_high_total');
  await streams(t, umbra, 7);
  t.equal(await high(), 0, 'seven of ten');
  await streams(t, umbra, 2);
  t.equal(await high(), 1, 'one was opened when eight were open');
  t.equal(await counted(umbra, 'umbra_upstream_queue_length'), 0);
  t.equal((await ask(umbra.port)).status, 200);
});

/** Logs its connections in as who `Authorization: NTLM NAME` says, after one challenge. */
async function loginServer(peer: RawPeer): Promise<void> {
  let user = '';
  let isChallenged = false;
  for (;;) {
    const [, name] = /authorization: NTLM (\w+)/i.exec(await peer.head()) ?? [];
    if (name !== undefined && isChallenged) user = name;
    const isAsked = name !== undefined && user === '';
    isChallenged ||= isAsked;
    const body = isAsked ? 'who?' : user === '' ? 'stranger' : user;
    const challenge = isAsked ? '401 Unauthorized\r\nWWW-Authenticate: NTLM abc' : '200 OK';
    peer.send(`HTTP/1.1 ${challenge}\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  }
}

t.test('a stranger never becomes who has logged in on a connection', async (t) => {
  const v1 = await RawServer.listen(loginServer);
  const umbra = await UmbraProcess.start(
    reviews(v1.port, null, { umbra: { threads: { proxy: 1, shadow: 1 } } }),
  );
  t.teardown(() => Promise.all([umbra.stop(), v1.close()]));
  const alice = await RawClient.connect(umbra.port);
  const says = async (client: RawClient, fields = ''): Promise<string> => {
    client.send(get.replace('\r\n\r\n', `\r\n${fields}\r\n`));
    await client.until(/\r\n\r\n(stranger|alice|who\?)$/);
    const said = client.received.split('\r\n\r\n').at(-1)!;
    client.received = '';
    return said;
  };
  const login = 'authorization: NTLM alice\r\n';
  t.equal(await says(alice, login), 'who?');
  // uWS shows no connections of clients: the login can't be completed, and is nobody's.
  const completed = served === 'uws' ? ['who?', 'stranger'] : ['alice', 'alice'];
  t.equal(await says(alice, login), completed[0]);
  for (let i = 0; i < 20; i++) {
    const stranger = await RawClient.connect(umbra.port);
    t.equal(await says(stranger), 'stranger');
    stranger.socket.destroy();
  }
  t.equal(await says(alice), completed[1]);
  alice.socket.destroy();
  const next = await RawClient.connect(umbra.port);
  t.equal(await says(next), 'stranger', 'also once she has left');
  next.socket.destroy();
});
