// Runs over both engines.
/** Paths, names and offers that look harmless to a proxy and are something else to a server. */

import { RawClient } from '../support/client.js';
import { lawHolds } from '../support/law.js';
import { Origin } from '../support/origin.js';
import { RawServer } from '../support/raw-server.js';
import t, { type Test } from '../support/tap.js';
import { engine, reviews, UmbraProcess } from '../support/umbra.js';

async function started(t: Test, listener: object, route: object = {}) {
  const v1 = await Origin.listen();
  const v2 = await Origin.listen();
  const config = reviews(v1.port, v2.port, {
    umbra: { listen: [{ address: '127.0.0.1:0', engine, ...listener }] },
    route,
  });
  config.routes.unshift({ name: 'admin', match: { path: { prefix: '/admin' } }, respond: { status: 403 } });
  const umbra = await UmbraProcess.start(config);
  t.teardown(async () => {
    await umbra.stop();
    await Promise.all([v1.close(), v2.close()]);
  });
  const send = async (target: string, fields = ''): Promise<string> => {
    const client = await RawClient.connect(umbra.port);
    client.send(
      `GET ${target} HTTP/1.1\r\nHost: h\r\n${fields.includes('onnection') ? '' : 'Connection: close\r\n'}${fields}\r\n`,
    );
    if (!fields.includes('onnection')) return client.end();
    await client.until('\r\n\r\n');
    client.close();
    return client.received;
  };
  return { umbra, v1, v2, send };
}

const statusOf = (answer: string): string => answer.slice(9, 12);

t.test('a route guards its path in every disguise, and versions get paths as they came', async (t) => {
  const { send, v1 } = await started(t, {});
  for (const target of ['/admin', '/x/../admin', '//admin', '/./admin', '/%61dmin', '/x/%2e%2E/admin/a?b=c'])
    t.equal(statusOf(await send(target)), '403', target);
  t.equal(statusOf(await send('/a/../b//%41?x=/../y')), '200');
  t.equal(v1.received[0]!.target, '/a/../b//%41?x=/../y');
});

t.test('slashes in a row are several only where the listener says so', async (t) => {
  const { send } = await started(t, { normalize: { mergeSlashes: false } });
  t.equal(statusOf(await send('//admin')), '200');
  t.equal(statusOf(await send('/./admin')), '403');
});

t.test('with `normalize: off` routes match paths as they came', async (t) => {
  const { send } = await started(t, { normalize: 'off' });
  t.equal(statusOf(await send('/x/../admin')), '200');
  t.equal(statusOf(await send('/admin')), '403');
});

t.test('fields with underscores are dropped, passed or refused as the listener says', async (t) => {
  const fields = 'X_Forwarded_For: 6.6.6.6\r\nX-Forwarded_Proto: https\r\nX_Request_Id: 1\r\nmy_own: 1\r\n';
  const namesOf = ({ v1 }: { v1: Origin }): string[] =>
    v1.received[0]!.fields.map(([name]) => name).filter((name) => name.includes('_'));
  const dropping = await started(t, {});
  await dropping.send('/', fields);
  t.strictSame(namesOf(dropping), []);
  const passing = await started(t, { underscores: 'pass' });
  await passing.send('/', fields);
  t.strictSame(namesOf(passing), ['my_own']);
  const refusing = await started(t, { underscores: 'refuse' });
  t.equal(statusOf(await refusing.send('/', 'my_own: 1\r\n')), '400');
  t.equal(statusOf(await refusing.send('/', 'my-own: a_b\r\n')), '200');
});

t.test('an offer of an upgrade that is not passed is an ordinary request, and is mirrored', async (t) => {
  const { umbra, send, v1, v2 } = await started(t, {});
  const offers = [
    'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n',
    'Connection: Upgrade\r\nUpgrade: TLS/1.2\r\n',
  ];
  for (const offer of offers) t.equal(statusOf(await send('/', offer)), '200', offer);
  await lawHolds(t, umbra);
  t.equal(v2.received.length, 2);
  for (const received of [...v1.received, ...v2.received])
    t.notMatch(received.fields.join(), /upgrade|http2-settings/);
});

t.test('a 426 keeps what to upgrade to', async (t) => {
  const v1 = await RawServer.listen(async (peer) => {
    await peer.head();
    peer.send(
      'HTTP/1.1 426 Upgrade Required\r\nConnection: Upgrade\r\nUpgrade: TLS/1.3\r\nContent-Length: 0\r\n\r\n',
    );
  });
  const umbra = await UmbraProcess.start(reviews(v1.port, null));
  const client = await RawClient.connect(umbra.port);
  client.send('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
  t.match(await client.end(), /^HTTP\/1\.1 426 [\s\S]*\r\nupgrade: TLS\/1\.3\r\n/i);
  await umbra.stop();
  await v1.close();
});
