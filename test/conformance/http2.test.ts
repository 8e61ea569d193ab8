/** Each row of the table of HTTP/2 in docs/conformance.md, sent through a real umbra as frames. */

import { frame } from '../core/http2/session-side.js';
import { RawHttp2 } from '../support/raw-http2.js';
import { type RawPeer, RawServer } from '../support/raw-server.js';
import t from '../support/tap.js';
import { reviews, UmbraProcess } from '../support/umbra.js';
import { type Http2Case, http2Cases, plainGet } from './http2.js';

const plainAnswer = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-origin: 1\r\n\r\nok';

/** One request with its body, as it came. */
async function requestOf(peer: RawPeer): Promise<string> {
  const head = await peer.head();
  const length = /\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1];
  if (length !== undefined) return head + (await peer.bytes(Number(length)));
  return /\r\ntransfer-encoding: chunked\r\n/i.test(head) ? head + (await peer.head()) : head;
}

/** Resolves with the frames of stream 1 when it is over. */
async function sent(
  client: RawHttp2,
  { sends = plainGet, block, body, trailers }: Http2Case,
): Promise<string[]> {
  const flags = body === undefined ? 5 : 4;
  const parts = [frame(1, flags, 1, block ?? client.block(sends))];
  if (body !== undefined) parts.push(frame(0, trailers === undefined ? 1 : 0, 1, Buffer.from(body)));
  if (trailers !== undefined) parts.push(client.headers(1, trailers));
  client.send(...parts);
  await client.until(/^(?:(?:HEADERS|DATA) 1 .*end|RST_STREAM 1 .*)$/);
  return client.frames.filter((line) => /^(?:HEADERS|DATA|RST_STREAM) 1 /.test(line));
}

function verdictOf(frames: readonly string[]): string {
  const code = /^RST_STREAM 1 (.*)$/.exec(frames.at(-1) ?? '')?.[1];
  const head = frames
    .map((line) => /^HEADERS 1 :status=([2-5]\d\d)(.*)$/.exec(line))
    .find((match) => match !== null);
  if (code !== undefined && code !== 'NO_ERROR') return `${head === undefined ? 'reset' : 'cut'} ${code}`;
  return head![2]!.includes(' x-origin=1') ? 'forwarded' : `answered ${head![1]}`;
}

t.test('every row of docs/conformance.md about HTTP/2 is so', async (t) => {
  let one: Http2Case = http2Cases[0]!;
  let arrived: string | null = null;
  const origin = await RawServer.listen(async (peer) => {
    for (;;) {
      const request = await requestOf(peer).catch(() => null);
      if (request === null) return;
      arrived = request;
      await peer.sent(one.answers ?? plainAnswer);
      if (one.ends === true) {
        peer.fin();
        return;
      }
    }
  });
  const umbra = await UmbraProcess.start(
    reviews(origin.port, null, {
      umbra: { listen: [{ address: '127.0.0.1:0', protocols: 'h2' }], threads: { proxy: 1, shadow: 1 } },
    }),
  );
  t.teardown(async () => {
    await umbra.stop();
    await origin.close();
  });
  for (one of http2Cases) {
    arrived = null;
    const client = await RawHttp2.connect(umbra.port);
    const frames = await sent(client, one);
    t.equal(verdictOf(frames), one.verdict, one.what);
    if (one.arrives !== undefined)
      t.match(arrived ?? '', one.arrives, `${one.what}: so does the origin get it`);
    if (one.comes !== undefined) t.match(frames.join('\n'), one.comes, `${one.what}: so does the client`);
    if (/^answered 4|^answered 501/.test(one.verdict))
      t.equal(arrived, null, `${one.what}: the origin gets nothing`);
    client.socket.destroy();
  }
});
