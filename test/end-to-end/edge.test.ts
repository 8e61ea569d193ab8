// Runs over both engines.
import { RawClient } from '../support/client.js';
import { lawHolds } from '../support/law.js';
import { fieldOf, Origin } from '../support/origin.js';
import t, { type Test } from '../support/tap.js';
import { engine, reviews, UmbraProcess } from '../support/umbra.js';

async function edged(
  t: Test,
  listener: object,
): Promise<{
  umbra: UmbraProcess;
  v1: Origin;
  v2: Origin;
  send: (fields: string, line?: string) => Promise<string>;
}> {
  const v1 = await Origin.listen();
  const v2 = await Origin.listen();
  const umbra = await UmbraProcess.start(
    reviews(v1.port, v2.port, {
      umbra: { listen: [{ address: '127.0.0.1:0', engine, ...listener }], accessLog: { format: 'json' } },
    }),
  );
  t.teardown(async () => {
    await umbra.stop();
    await Promise.all([v1.close(), v2.close()]);
  });
  const send = async (fields: string, line = 'GET / HTTP/1.1'): Promise<string> => {
    const client = await RawClient.connect(umbra.port);
    client.send(`${line}\r\nhost: shop.example\r\nconnection: close\r\n${fields}\r\n`);
    return client.end();
  };
  return { umbra, v1, v2, send };
}

t.test('primary and copy carry the same fields of the edge, and the log joins them by the id', async (t) => {
  const { umbra, v1, v2, send } = await edged(t, { via: 'umbra-1' });
  await send('x-forwarded-for: 203.0.113.1\r\nvia: 1.1 front\r\n');
  await lawHolds(t, umbra);
  for (const origin of [v1, v2]) {
    const [received] = origin.received;
    t.equal(fieldOf(received!, 'x-forwarded-for'), '203.0.113.1, 127.0.0.1');
    t.equal(fieldOf(received!, 'x-forwarded-host'), 'shop.example');
    t.equal(fieldOf(received!, 'x-forwarded-proto'), 'http');
    t.equal(fieldOf(received!, 'via'), '1.1 front, 1.1 umbra-1');
  }
  const id = fieldOf(v1.received[0]!, 'x-request-id');
  t.equal(fieldOf(v2.received[0]!, 'x-request-id'), id);
  await umbra.stop();
  const lines = umbra.out
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { role: string; requestId: string });
  t.strictSame(lines.map(({ role, requestId }) => [role, requestId]).sort(), [
    ['primary', id],
    ['shadow', id],
  ]);
});

t.test('a stranger can not say where it comes from, once proxies are named that can', async (t) => {
  const { v1, send } = await edged(t, { trusted: ['192.0.2.0/24'], requestId: 'new' });
  await send(
    'x-forwarded-for: 203.0.113.1\r\nx-forwarded-proto: https\r\nforwarded: for=a\r\nx-request-id: mine\r\n',
  );
  const [received] = v1.received;
  t.equal(fieldOf(received!, 'x-forwarded-for'), '127.0.0.1');
  t.equal(fieldOf(received!, 'x-forwarded-proto'), 'http');
  t.equal(fieldOf(received!, 'forwarded'), null);
  t.not(fieldOf(received!, 'x-request-id'), 'mine');
});

t.test('with everything off a request is passed on as it came', async (t) => {
  const { v1, send } = await edged(t, { forwarded: 'off', requestId: 'off' });
  await send('x-a: 1\r\n');
  t.strictSame(
    v1.received[0]!.fields.map(([name]) => name),
    ['host', 'x-a'],
  );
});

t.test('TRACE and OPTIONS go no further than Max-Forwards says', async (t) => {
  const { v1, send } = await edged(t, {});
  t.match(
    await send('max-forwards: 0\r\n', 'OPTIONS / HTTP/1.1'),
    /^HTTP\/1\.1 200 [\s\S]*content-length: 0/i,
  );
  t.match(await send('max-forwards: 0\r\n', 'TRACE / HTTP/1.1'), /^HTTP\/1\.1 501 /);
  t.equal(v1.received.length, 0);
  await send('max-forwards: 3\r\n', 'OPTIONS / HTTP/1.1');
  t.equal(fieldOf(v1.received[0]!, 'max-forwards'), '2');
  await send('max-forwards: 0\r\n', 'GET / HTTP/1.1');
  t.equal(fieldOf(v1.received[1]!, 'max-forwards'), '0', "of other methods it is nobody else's business");
});
