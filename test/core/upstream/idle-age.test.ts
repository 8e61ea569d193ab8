import { Framing } from '../../../core/http/message.js';
import { limits } from '../../../core/limits.js';
import { type RawPeer, RawServer } from '../../support/raw-server.js';
import t from '../../support/tap.js';
import { Exchange, TestPool } from './exchange.js';

const US_PER_MS = 1000;

/** A pool with a clock of its own, and a server that answers every request with these field lines. */
class Aging {
  nowUs = 1e9;
  readonly pool: TestPool;
  readonly server: RawServer;

  private constructor(server: RawServer, connectionsMax: number) {
    this.server = server;
    this.pool = new TestPool([server.port], { connectionsMax }, undefined, () => this.nowUs);
  }

  static async start(
    teardown: (fn: () => Promise<void>) => void,
    lines: string,
    connectionsMax = 16,
  ): Promise<Aging> {
    const server = await RawServer.listen(async (peer: RawPeer) => {
      for (;;) {
        await peer.head();
        peer.send(`HTTP/1.1 200 OK\r\n${lines}Content-Length: 2\r\n\r\nok`);
      }
    });
    const aging = new Aging(server, connectionsMax);
    teardown(async () => {
      aging.pool.close();
      await server.close();
    });
    return aging;
  }

  /** Time passes, without the timer that closes what has expired: as on a thread that was late. */
  pass(ms: number): void {
    this.nowUs += ms * US_PER_MS;
  }

  async get(): Promise<boolean> {
    const e = await new Exchange().get(this.pool).end();
    return e.call.figures.reused;
  }

  async post(): Promise<boolean> {
    const e = await new Exchange().post(this.pool, Framing.LENGTH, 2, ['hi']).end();
    return e.call.figures.reused;
  }
}

t.test('a connection is released a second before the version closes it', async (t) => {
  const aging = await Aging.start(t.teardown, 'Keep-Alive: timeout=5, max=100\r\n');
  t.notOk(await aging.get());
  aging.pass(3900);
  t.ok(await aging.get(), 'the time begins again with each response');
  aging.pass(4000);
  t.notOk(await aging.get());
  t.equal(aging.server.connections, 2);
  aging.pass(4100);
  aging.pool.resources.deadlines.advance();
  t.equal(aging.pool.open, 0, 'it is closed by itself');
});

t.test('a version that keeps connections for a second or less has none reused after a pause', async (t) => {
  for (const seconds of [0, 1]) {
    const aging = await Aging.start(t.teardown, `Keep-Alive: timeout=${seconds}\r\n`);
    await aging.get();
    aging.pass(1);
    t.notOk(await aging.get());
  }
});

t.test('what a version announces does not prolong the time that is configured', async (t) => {
  const aging = await Aging.start(t.teardown, 'Keep-Alive: timeout=600\r\n');
  await aging.get();
  aging.pass(60_000);
  t.notOk(await aging.get());
});

t.test('a POST gets a new connection where the idle one is old, and leaves it to others', async (t) => {
  const aging = await Aging.start(t.teardown, '');
  await aging.get();
  aging.pass(limits.freshConnectionMs);
  t.ok(await aging.post(), 'it is young enough');
  aging.pass(limits.freshConnectionMs + 1);
  t.notOk(await aging.post());
  t.equal(aging.pool.idle, 2);
  aging.pass(limits.freshConnectionMs + 1);
  t.ok(await aging.get(), 'a GET can be sent again, so it takes what there is');
});

t.test('a POST takes the place of an old idle connection where no other is free', async (t) => {
  const aging = await Aging.start(t.teardown, '', 1);
  await aging.get();
  aging.pass(limits.freshConnectionMs + 1);
  t.notOk(await aging.post());
  t.equal(aging.server.connections, 2);
  t.equal(aging.pool.open, 1);
});

t.test('a POST takes any connection that the version has said it keeps', async (t) => {
  const aging = await Aging.start(t.teardown, 'Keep-Alive: timeout=10\r\n');
  await aging.get();
  aging.pass(8000);
  t.ok(await aging.post());
});
