// Runs over both engines.
/**
 * Clients that read nothing before they have sent their whole request, as most libraries do: an answer that
 * comes early must still be there when they read.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { type RawPeer, RawServer } from '../support/raw-server.js';
import t from '../support/tap.js';
import { engine, reviews, UmbraProcess } from '../support/umbra.js';

const bodyBytes = 8 * 1024 * 1024;
const body = Buffer.alloc(bodyBytes, 'x');

/** All that a client gets on one connection that sends `head` and the body before it reads. */
async function sendsFirst(port: number, head: string): Promise<string> {
  const client = connect({ port, host: '127.0.0.1' });
  client.on('error', () => {});
  client.pause();
  await once(client, 'connect');
  client.write(head);
  await new Promise((resolve) => client.write(body, resolve));
  let received = '';
  client.setEncoding('latin1').on('data', (text) => {
    received += text;
    if (/\r\n\r\n[\s\S]*early/.test(received)) client.end();
  });
  client.resume();
  await once(client, 'close');
  return received;
}

t.test('early answers reach clients that send before they read', async (t) => {
  const v1 = await RawServer.listen(async (peer: RawPeer) => {
    const head = await peer.head();
    const framing = head.includes('/chunks') ? 'transfer-encoding: chunked' : 'content-length: 5';
    const text = head.includes('/chunks') ? '5\r\nearly\r\n0\r\n\r\n' : 'early';
    peer.send(`HTTP/1.1 403 Forbidden\r\n${framing}\r\n\r\n${text}`);
  });
  const config = reviews(v1.port, null, { route: { match: { path: { prefix: '/primary' } } } });
  config.routes.unshift(
    { name: 'moved', match: { path: { exact: '/moved' } }, redirect: { path: '/early' } },
    { name: 'own', match: { path: { exact: '/own' } }, respond: { status: 403, body: 'early' } },
  );
  const umbra = await UmbraProcess.start({
    ...config,
    listen: [{ address: '127.0.0.1:0', engine, body: { max: '16MiB' } }],
  });
  t.teardown(() => Promise.all([umbra.stop(), v1.close()]));
  const post = (target: string, length: number = bodyBytes, fields = ''): Promise<string> =>
    sendsFirst(
      umbra.port,
      `POST ${target} HTTP/1.1\r\nhost: reviews\r\ncontent-length: ${length}\r\n${fields}\r\n`,
    );

  for (const target of ['/primary', '/primary/chunks', '/own'])
    t.match(await post(target), /^HTTP\/1\.1 403 [\s\S]*early/, target);
  t.match(await post('/moved'), /^HTTP\/1\.1 301 /, 'a redirect');
  t.match(await post('/nowhere'), /^HTTP\/1\.1 404 [\s\S]*no route/, 'no route');
  t.match(await post('/primary', 2 * 16 * 1024 * 1024), /^HTTP\/1\.1 413 [\s\S]*too large/, 'too large');
  t.match(await post('/primary', bodyBytes, 'expect: nothing\r\n'), /^HTTP\/1\.1 417 /, 'refused');
});
