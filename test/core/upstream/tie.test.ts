import { Tie } from '../../../core/upstream/tie.js';
import { type RawPeer, RawServer } from '../../support/raw-server.js';
import { requestOf } from '../../support/request.js';
import t from '../../support/tap.js';
import { Exchange, TestPool } from './exchange.js';

/**
 * Logs a connection in as the name in `Authorization: NTLM name`, after one challenge, and answers who is
 * logged in.
 */
async function loginServer(peer: RawPeer): Promise<void> {
  let user = '';
  let challenged = false;
  for (;;) {
    const [, name] = /authorization: NTLM (\w+)/i.exec(await peer.head()) ?? [];
    if (name !== undefined && challenged) user = name;
    if (name !== undefined && user === '') {
      challenged = true;
      peer.send('HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM abc\r\nContent-Length: 0\r\n\r\n');
    } else {
      const body = user === '' ? 'stranger' : user;
      peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    }
  }
}

async function serving(teardown: (fn: () => Promise<void>) => void): Promise<TestPool> {
  const server = await RawServer.listen(loginServer);
  const pool = new TestPool([server.port]);
  teardown(async () => {
    pool.close();
    await server.close();
  });
  return pool;
}

/** The body of the answer, or its status where there is none. */
async function ask(pool: TestPool, tie: Tie | null, fields = ''): Promise<string> {
  const e = new Exchange();
  const request = requestOf({ fields });
  request.tie = tie;
  e.call.start(pool, request);
  await e.end();
  return e.body === '' ? `${e.call.figures.status}` : e.body;
}

const alice = 'Authorization: NTLM alice\r\n';

t.test('a connection that carries a login stays with its client', async (t) => {
  const pool = await serving(t.teardown);
  const [ofAlice, ofStranger] = [new Tie(), new Tie()];
  t.equal(await ask(pool, ofAlice, alice), '401');
  t.equal(await ask(pool, ofAlice, alice), 'alice');
  t.equal(await ask(pool, ofStranger), 'stranger');
  t.equal(await ask(pool, null), 'stranger');
  t.equal(await ask(pool, ofAlice), 'alice', 'without a word about it, as clients do');
  ofAlice.end();
  t.equal(await ask(pool, ofStranger), 'stranger');
  t.equal(pool.open, 1, 'it is closed when its client leaves');
});

t.test('without a tie such a connection is closed after each exchange', async (t) => {
  const pool = await serving(t.teardown);
  t.equal(await ask(pool, null, alice), '401');
  t.equal(pool.open, 0);
  t.equal(await ask(pool, null), 'stranger');
});

t.test('a tied connection that its version closes, or of another pool, is not used', async (t) => {
  const pool = await serving(t.teardown);
  const other = await serving(t.teardown);
  const tie = new Tie();
  await ask(pool, tie, alice);
  t.equal(await ask(other, tie), 'stranger');
  t.equal(pool.open, 0);
});
