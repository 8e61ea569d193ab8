// Runs over both engines.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { RawClient } from '../support/client.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import { Origin } from '../support/origin.js';
import { RawServer } from '../support/raw-server.js';
import t from '../support/tap.js';
import { reviews, UmbraProcess, until } from '../support/umbra.js';
import { bodyOf } from './mixed.js';

const MiB = 1024 * 1024;
const large = bodyOf(7, 24 * MiB);
const sha = createHash('sha256').update(large).digest('base64');
/** Below what is held for a version that does not keep up: past that, a copy fails as overloaded. */
const upload = large.subarray(0, 12 * MiB);
const uploadSha = createHash('sha256').update(upload).digest('base64');

/**
 * Looks without a change after which v1 counts as held back; a slow machine makes the test weaker, never
 * wrong.
 */
const quietPolls = 20;

t.test('a client that reads late gets every byte, and umbra stops reading from v1 meanwhile', async (t) => {
  let written = 0;
  const v1 = await RawServer.listen(async (peer) => {
    await peer.head();
    await peer.sent(`HTTP/1.1 200 OK\r\ncontent-length: ${large.length}\r\n\r\n`);
    for (let from = 0; from < large.length; from += MiB) {
      await new Promise<void>((resolve) =>
        peer.socket.write(large.subarray(from, from + MiB), () => resolve()),
      );
      written += MiB;
    }
  });
  const v2 = await Origin.listen();
  const umbra = await UmbraProcess.start(reviews(v1.port, v2.port));
  const call = request({ host: '127.0.0.1', port: umbra.port, path: '/', agent: false });
  call.end();
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  // The copy's way is free although the response is stuck.
  await v2.untilReceived(1);
  let seen = -1;
  for (let quiet = 0; quiet < quietPolls; quiet++) {
    if (written !== seen) quiet = 0;
    seen = written;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  t.ok(written < large.length, `${written} bytes were taken from v1 before the client read`);
  const hash = createHash('sha256');
  for await (const piece of response) hash.update(piece as Buffer);
  t.equal(hash.digest('base64'), sha);
  await lawHolds(t, umbra);
  await umbra.stop();
  await Promise.all([v1.close(), v2.close()]);
});

t.test('an upload to a v1 that reads late arrives whole, there and at v2', async (t) => {
  let goOn = (): void => {};
  const mayRead = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const hash = createHash('sha256');
  let bytes = 0;
  const v1 = await RawServer.listen(async ({ socket }) => {
    socket.removeAllListeners('data');
    socket.pause();
    await mayRead;
    let head = '';
    for await (const piece of socket as AsyncIterable<Buffer>) {
      let body = piece;
      if (!head.includes('\r\n\r\n')) {
        head += piece.toString('latin1');
        const at = head.indexOf('\r\n\r\n');
        body = at < 0 ? Buffer.alloc(0) : Buffer.from(head.slice(at + 4), 'latin1');
      }
      hash.update(body);
      bytes += body.length;
      if (bytes === upload.length) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
    }
  });
  const v2 = await Origin.listen();
  const umbra = await UmbraProcess.start(
    reviews(v1.port, v2.port, {
      mirror: { body: { max: '64MiB' }, timeout: '20s' },
      umbra: { threads: { proxy: 1, shadow: 1, ring: '64MiB' } },
    }),
  );
  const client = await RawClient.connect(umbra.port);
  client.send(`PUT / HTTP/1.1\r\nhost: h\r\ncontent-length: ${upload.length}\r\n\r\n`);
  client.socket.write(upload);
  // Requests go their way meanwhile; the copy is under way while v1 has not read a byte.
  await until(async () => mirrorTo(await umbra.stats(), 'v2').sent === 1, 'the copy is under way');
  t.equal(bytes, 0);
  goOn();
  await client.until('\r\n\r\nok');
  t.equal(hash.digest('base64'), uploadSha);
  const stats = await lawHolds(t, umbra);
  t.equal(mirrorTo(stats, 'v2').completed, 1);
  t.equal(v2.received[0].bodySha, uploadSha);
  client.close();
  await umbra.stop();
  await Promise.all([v1.close(), v2.close()]);
});
