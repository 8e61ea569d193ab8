/** What a version was not given goes to the fallback of its route, and the client does not notice. */
import { Failure } from '../../../core/errors.js';
import { Framing } from '../../../core/http/message.js';
import { VersionField } from '../../../core/record/version-counters.js';
import { type RawScript, RawServer, refusedPort } from '../../support/raw-server.js';
import t, { type Test } from '../../support/tap.js';
import { ExchangeRig } from './rig.js';

const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nv1';

/** A server that answers every request, and keeps the bodies that arrived. */
async function stable(t: Test, bodyBytes = 0): Promise<{ port: number; bodies: string[] }> {
  const bodies: string[] = [];
  const script: RawScript = async (peer) => {
    try {
      for (;;) {
        await peer.head();
        if (bodyBytes > 0) bodies.push(await peer.bytes(bodyBytes));
        peer.send(ok);
      }
    } catch {
      // The connection ended.
    }
  };
  const server = await RawServer.listen(script);
  t.teardown(() => server.close());
  return { port: server.port, bodies };
}

const failures = (rig: ExchangeRig, failure: Failure): number[] =>
  [rig.version, rig.own].map((counters) => counters.wordAt(VersionField.failures + failure));

t.test('a request that found no connection is answered by the fallback, whatever its method', async (t) => {
  const { port, bodies } = await stable(t, 5);
  const rig = new ExchangeRig(await refusedPort(), {}, port);
  t.teardown(() => rig.pool.close());
  const { told, sink } = rig.upload(5);
  sink.onRequestBody(Buffer.from('he'), false);
  sink.onRequestBody(Buffer.from('llo'), true);
  await told.end();
  t.equal(told.body, 'v1');
  t.strictSame(bodies, ['hello']);
  t.strictSame(failures(rig, Failure.CONNECT), [1, 1], 'the version that failed counts it, on its route too');
  t.equal(rig.stable.wordAt(VersionField.responses + 100), 1);
  for (const counters of [rig.version, rig.own, rig.stable])
    t.equal(counters.get(VersionField.requests), counters.finished);
  t.equal(rig.forwarder.inFlight, 0);
});

t.test('the rest of a body that still arrives follows to the fallback', async (t) => {
  const { port, bodies } = await stable(t, 5);
  const rig = new ExchangeRig(await refusedPort(), {}, port);
  t.teardown(() => rig.pool.close());
  const { told, sink } = rig.upload(5);
  sink.onRequestBody(Buffer.from('he'), false);
  while (failures(rig, Failure.CONNECT)[0] === 0) await new Promise((resolve) => setImmediate(resolve));
  sink.onRequestBody(Buffer.from('llo'), true);
  await told.end();
  t.equal(told.body, 'v1');
  t.strictSame(bodies, ['hello']);
});

t.test(
  'a safe request whose connection was lost before a head is sent again, and no other one',
  async (t) => {
    const dying = await RawServer.listen(async (peer) => {
      await peer.head();
      peer.reset();
    });
    t.teardown(() => dying.close());
    const { port } = await stable(t);
    for (const [method, end] of [
      ['GET', 'finish'],
      ['HEAD', 'finish'],
      ['DELETE', 'answer 502'],
    ] as const) {
      const rig = new ExchangeRig(dying.port, {}, port);
      const { told } = rig.ask({ method, framing: Framing.NONE });
      await told.end();
      t.ok(told.events.at(-1)!.startsWith(end), `${method}: ${told.events.at(-1)}`);
      t.strictSame(failures(rig, Failure.RESET), [1, 1]);
      rig.pool.close();
    }
  },
);

t.test('a fallback that fails as well is the end', async (t) => {
  const rig = new ExchangeRig(await refusedPort(), {}, await refusedPort());
  t.teardown(() => rig.pool.close());
  const { told } = rig.ask();
  await told.end();
  t.match(told.events, [/^answer 502/]);
  t.equal(rig.stable.wordAt(VersionField.failures + Failure.CONNECT), 1);
});

t.test('a response of the version is its answer, even an error', async (t) => {
  const failing = await RawServer.listen(async (peer) => {
    await peer.head();
    peer.send('HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n');
  });
  t.teardown(() => failing.close());
  const { port } = await stable(t);
  const rig = new ExchangeRig(failing.port, {}, port);
  t.teardown(() => rig.pool.close());
  const { told } = rig.ask();
  await told.end();
  t.equal(told.events[0], 'head 503');
  t.equal(rig.stable.get(VersionField.requests), 0);
});
