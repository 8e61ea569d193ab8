// Runs over both engines.
import { createHash } from 'node:crypto';
import { RawClient } from '../support/client.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import { Origin } from '../support/origin.js';
import { type RawPeer, RawServer } from '../support/raw-server.js';
import t from '../support/tap.js';
import { reviews, UmbraProcess, until } from '../support/umbra.js';

const head = (target: string) =>
  `PUT ${target} HTTP/1.1\r\nhost: reviews\r\ntransfer-encoding: chunked\r\n\r\n`;

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

function shaOf(text: string): string {
  return createHash('sha256').update(text, 'latin1').digest('base64');
}

t.test(
  'bodies that grow turn by turn arrive whole, and one that outgrows its bound takes no other along',
  async (t) => {
    const v1 = await Origin.listen();
    const v2 = await Origin.listen();
    const umbra = await UmbraProcess.start(
      reviews(v1.port, v2.port, {
        mirror: { body: { max: '100000B' } },
        umbra: { threads: { proxy: 1, shadow: 1 } },
      }),
    );
    const clients = await Promise.all(['/0', '/1', '/large', '/3'].map(() => RawClient.connect(umbra.port)));
    const targets = ['/0', '/1', '/large', '/3'];
    const bodies = targets.map(() => '');
    for (const [index, client] of clients.entries()) client.send(head(targets[index]));
    for (let round = 0; round < 40; round++) {
      for (const [index, client] of clients.entries()) {
        const piece = `${round} of ${index}: ${'x'.repeat(targets[index] === '/large' ? 4000 : 500)}`;
        bodies[index] += piece;
        client.send(chunk(piece));
      }
      await new Promise(setImmediate);
    }
    for (const client of clients) client.send('0\r\n\r\n');
    for (const client of clients) {
      await client.until(/^HTTP\/1\.1 200 [\s\S]*\r\n\r\n/);
      client.close();
    }
    const { eligible, completed, dropped, failed } = mirrorTo(await lawHolds(t, umbra), 'v2');
    t.strictSame([eligible, completed], [4, 3]);
    t.equal((dropped['body-too-large'] ?? 0) + (failed['body-too-large'] ?? 0), 1);
    for (const [index, target] of targets.entries()) {
      const sha = (origin: Origin) => origin.received.find((received) => received.target === target)?.bodySha;
      t.equal(sha(v1), shaOf(bodies[index]), `${target} at v1`);
      t.equal(sha(v2), target === '/large' ? undefined : shaOf(bodies[index]), `${target} at v2`);
    }
    await umbra.stop();
    await Promise.all([v1.close(), v2.close()]);
  },
);

t.test(
  'an upload that its client aborts is aborted at the shadow as well, and nothing else is',
  async (t) => {
    const v1 = await Origin.listen();
    const seen: RawPeer[] = [];
    let aborted = 0;
    const v2 = await RawServer.listen((peer) => {
      seen.push(peer);
      peer.socket.on('close', () => aborted++);
    });
    const umbra = await UmbraProcess.start(reviews(v1.port, v2.port, { mirror: { timeout: '1m' } }));
    const client = await RawClient.connect(umbra.port);
    client.send(`${head('/upload')}${chunk('the beginning')}`);
    await until(() => seen.length === 1, 'the copy has begun at the shadow');
    await seen[0].take('the beginning');
    client.close();
    await until(() => aborted === 1, 'the shadow sees its end');
    const { failed, dropped } = mirrorTo(await lawHolds(t, umbra), 'v2');
    t.equal((failed.aborted ?? 0) + (dropped.aborted ?? 0), 1);
    await umbra.stop();
    await Promise.all([v1.close(), v2.close()]);
  },
);
