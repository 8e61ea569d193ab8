// Runs over one engine: asks for the node engine.
/**
 * Trailers and expectations, end to end: what the node engine passes on to the primary, to the copy and to
 * the client.
 */

import { RawClient } from '../support/client.js';
import { lawHolds } from '../support/law.js';
import { RawServer } from '../support/raw-server.js';
import t, { type Test } from '../support/tap.js';
import { reviews, UmbraProcess } from '../support/umbra.js';

const host = 'Host: h\r\n';
const chunkedHead = 'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n';
const response = `${chunkedHead}3\r\nabc\r\n0\r\nX-Sum:  \xe9 \r\nContent-Length: 7\r\nx-sum: 2\r\n\r\n`;

/** A version that takes chunked requests whose data has no empty line, and keeps each one whole. */
async function version(answer = response): Promise<{ server: RawServer; requests: string[] }> {
  const requests: string[] = [];
  const server = await RawServer.listen(async (peer) => {
    for (;;) {
      let request = await peer.head().catch(() => '');
      if (request === '') return;
      if (/^transfer-encoding: chunked\r$/im.test(request)) request += await peer.head();
      requests.push(request);
      peer.send(answer);
    }
  });
  return { server, requests };
}

/** A request without the fields that umbra adds on its way, to say who asked and what is a copy. */
const withoutAdded = (request: string): string =>
  request.replace(/^(?:x-umbra-mirror|x-forwarded-\w+|x-request-id): .*\r\n/gm, '');

async function serve(t: Test, answer = response) {
  const [v1, v2] = [await version(answer), await version(answer)];
  const listen = [{ address: '127.0.0.1:0', engine: 'node' }];
  const umbra = await UmbraProcess.start(
    reviews(v1.server.port, v2.server.port, { mirror: { host: 'preserve' }, umbra: { listen } }),
  );
  t.teardown(async () => {
    await umbra.stop();
    await Promise.all([v1.server.close(), v2.server.close()]);
  });
  return { v1: v1.requests, v2: v2.requests, umbra };
}

t.test('a request’s trailers reach the primary and the copy, without what only a head may say', async (t) => {
  const { v1, v2, umbra } = await serve(t);
  const head = `POST /a HTTP/1.1\r\n${host}Trailer: x-Sum\r\n`;
  const tail =
    'x-Sum:  \xe9\xff \r\nHost: evil\r\nContent-Length: 1\r\nX-Hop: 1\r\nAuthorization: x\r\nZ:\r\n';
  const client = await RawClient.connect(umbra.port);
  client.send(
    `${head}Connection: x-hop\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0;z\r\n${tail}\r\n`,
  );
  await client.until('x-sum: 2\r\n\r\n');
  client.close();
  await lawHolds(t, umbra);
  const expected = `${head}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-Sum:  \xe9\xff \r\nZ:\r\n\r\n`;
  t.strictSame(v1.map(withoutAdded), [expected]);
  t.strictSame(v2.map(withoutAdded), [expected]);
});

t.test('trailers of a body that comes byte by byte, and of one without data', async (t) => {
  const { v1, v2, umbra } = await serve(t);
  const head = `POST /a HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n`;
  const client = await RawClient.connect(umbra.port);
  for (const byte of `${head}1\r\nx\r\n0\r\nA: 1\r\nb: 2\r\n\r\n`) {
    client.send(byte);
    await new Promise(setImmediate);
  }
  await client.until('x-sum: 2\r\n\r\n');
  client.received = '';
  client.send(`${head}0\r\nA: 1\r\n\r\n`);
  await client.until('x-sum: 2\r\n\r\n');
  client.close();
  await lawHolds(t, umbra);
  const expected = [`${head}1\r\nx\r\n0\r\nA: 1\r\nb: 2\r\n\r\n`, `${head}0\r\nA: 1\r\n\r\n`];
  t.strictSame(v1.map(withoutAdded), expected);
  t.strictSame(v2.map(withoutAdded), expected);
});

t.test('a response’s trailers reach a client of HTTP/1.1, and no other', async (t) => {
  const { v1, umbra } = await serve(t);
  const client = await RawClient.connect(umbra.port);
  client.send(`GET / HTTP/1.1\r\n${host}TE: trailers, gzip\r\nConnection: TE\r\n\r\n`);
  await client.until('x-sum: 2\r\n\r\n');
  t.match(client.received, /\r\nTrailer: X-Sum\r\n/);
  const body = client.received.slice(client.received.indexOf('\r\n\r\n') + 4);
  t.equal(body, '3\r\nabc\r\n0\r\nX-Sum:  \xe9 \r\nx-sum: 2\r\n\r\n');
  t.equal(withoutAdded(v1[0]), `GET / HTTP/1.1\r\n${host}Connection: TE\r\nTE: trailers\r\n\r\n`);
  const old = await RawClient.connect(umbra.port);
  old.send(`GET / HTTP/1.0\r\n${host}TE: trailers\r\n\r\n`);
  const received = await old.end();
  t.match(received, /\r\n\r\nabc$/);
  t.notMatch(received, /trailer|sum/i);
  t.equal(withoutAdded(v1[1]), `GET / HTTP/1.1\r\n${host}\r\n`);
  client.close();
});

t.test('an expectation is the primary’s to meet: its 100, or its refusal before any body', async (t) => {
  const seen: string[] = [];
  const v1 = await RawServer.listen(async (peer) => {
    for (;;) {
      const head = await peer.head().catch(() => '');
      if (head === '') return;
      seen.push(head);
      if (head.startsWith('PUT /no')) {
        peer.send('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno');
        return;
      }
      await peer.sent('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n');
      peer.send(`HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n${await peer.bytes(3)}`);
    }
  });
  const v2 = await version();
  const listen = [{ address: '127.0.0.1:0', engine: 'node' }];
  const umbra = await UmbraProcess.start(reviews(v1.port, v2.server.port, { umbra: { listen } }));
  const expectation = 'Expect: 100-Continue\r\nContent-Length: 3\r\n\r\n';

  const client = await RawClient.connect(umbra.port);
  client.send(`PUT /yes HTTP/1.1\r\n${host}${expectation}`);
  await client.until('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n');
  client.send('abc');
  await client.until(/\r\n\r\nabc$/);
  client.close();

  const refused = await RawClient.connect(umbra.port);
  refused.send(`PUT /no HTTP/1.1\r\n${host}${expectation}`);
  t.match(await refused.end(), /^HTTP\/1\.1 413 Too Large\r\n[\s\S]*\r\nConnection: close\r\n\r\nno$/);

  // To HTTP/1.0 an expectation is nothing (RFC 9110, section 10.1.1), and neither are interim responses.
  const old = await RawClient.connect(umbra.port);
  old.send(`PUT /old HTTP/1.0\r\n${host}${expectation}abc`);
  t.match(await old.end(), /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nabc$/);

  const tail = 'Content-Length: 3\r\n\r\n';
  t.strictSame(seen.map(withoutAdded), [
    `PUT /yes HTTP/1.1\r\n${host}Expect: 100-continue\r\n${tail}`,
    `PUT /no HTTP/1.1\r\n${host}Expect: 100-continue\r\n${tail}`,
    `PUT /old HTTP/1.1\r\n${host}${tail}`,
  ]);
  await lawHolds(t, umbra);
  t.notMatch(v2.requests.join(''), /expect/i, 'copies wait for nothing');
  await umbra.stop();
  await Promise.all([v1.close(), v2.server.close()]);
});
