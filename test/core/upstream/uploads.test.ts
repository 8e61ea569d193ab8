/** Requests whose bodies are not whole: how many connections they hold, and which of them are ended. */

import { Framing } from '../../../core/http/message.js';
import { limits } from '../../../core/limits.js';
import { type RawPeer, RawServer } from '../../support/raw-server.js';
import t, { type Test } from '../../support/tap.js';
import { Exchange, TestPool } from './exchange.js';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const kept = Buffer.alloc(limits.replayBytes + 1, 'x');

/** Answers each request when it is whole: a GET, and what comes in chunks. */
async function answerWhole(peer: RawPeer): Promise<void> {
  for (;;) {
    const head = await peer.head();
    if (/^transfer-encoding/im.test(head)) await peer.take('0\r\n\r\n');
    peer.send(OK);
  }
}

/** A pool with places for three uploads, on a clock that the test moves. */
async function rig(t: Test, connectionsMax = 4) {
  const clock = { nowUs: 1e9 };
  const server = await RawServer.listen(answerWhole);
  t.teardown(() => server.close());
  const pool = new TestPool([server.port], { connectionsMax }, undefined, () => clock.nowUs);
  const pass = (ms: number): void => {
    clock.nowUs += ms * 1e3;
    pool.resources.deadlines.advance();
  };
  return { server, pool, pass };
}

/** An upload of which one byte has come. */
function slow(pool: TestPool): Exchange {
  const exchange = new Exchange();
  exchange.send(pool, { method: 'POST', framing: Framing.CHUNKED, totalMs: 0 });
  exchange.call.write(Buffer.from('x'), false);
  return exchange;
}

t.test('uploads hold three quarters of the connections, and whole requests find the rest', async (t) => {
  const { server, pool } = await rig(t);
  const uploads = Array.from({ length: 8 }, () => slow(pool));
  await Promise.all(uploads.slice(0, 3).map((upload) => upload.until('sent')));
  for (let i = 0; i < 10; i++) t.equal((await new Exchange().get(pool).end()).body, 'ok');
  t.equal(server.connections, 4);
  t.match(pool.counted, { waiting: 0, waitingUploads: 5, queueFull: 0, slowUploads: 0 });
  t.equal(uploads.filter(({ sent }) => sent > 0).length, 3);
  for (const upload of uploads) upload.call.cancel();
  t.match(pool.counted, { waitingUploads: 0 });
  t.equal(pool.uploads.waiting, 0);
});

t.test('an upload that is whole before there is a place for it is sent as any other request', async (t) => {
  const { pool } = await rig(t);
  const uploads = Array.from({ length: 3 }, () => slow(pool));
  const late = slow(pool);
  t.equal(late.call.heldBytes > 0, true, 'what has come is kept');
  late.call.write(Buffer.from('y'), true);
  t.equal((await late.end()).body, 'ok');
  t.match(pool.counted, { waitingUploads: 0 });
  for (const upload of uploads) upload.call.cancel();
});

t.test('an upload that waits gets the place of one that is over', async (t) => {
  const { pool } = await rig(t);
  const uploads = Array.from({ length: 3 }, () => slow(pool));
  const late = slow(pool);
  uploads[1]!.call.write(Buffer.from('y'), true);
  await uploads[1]!.end();
  await late.until('sent');
  late.call.write(Buffer.from('y'), true);
  t.equal((await late.end()).body, 'ok');
  uploads[0]!.call.cancel();
  uploads[2]!.call.cancel();
});

t.test('a slow upload is ended for one with more to send than is kept, and for no other', async (t) => {
  const { pool, pass } = await rig(t);
  const uploads = Array.from({ length: 3 }, () => slow(pool));
  await Promise.all(uploads.map((upload) => upload.until('sent')));
  uploads[0]!.call.write(kept, false);
  const patient = slow(pool);
  pass(limits.slowUploadGraceMs + 32);
  t.match(pool.counted, { slowUploads: 0 }, 'nobody waits for a place');
  const quick = slow(pool);
  t.equal(quick.call.write(kept, false), false, 'its client is held back');
  t.equal((await uploads[1]!.end()).failure, 'slow-client');
  await quick.until('drain');
  quick.call.write(Buffer.from('y'), true);
  t.equal((await quick.end()).body, 'ok');
  t.match(pool.counted, { slowUploads: 1 });
  t.equal(uploads[0]!.over, false, 'one that brings its bytes is not slow');
  for (const upload of [uploads[0]!, uploads[2]!, patient]) upload.call.cancel();
});

t.test('a new upload is not slow yet; one that waits for its place looks again', async (t) => {
  const { pool, pass } = await rig(t, 1);
  const first = await slow(pool).until('sent');
  const quick = slow(pool);
  quick.call.write(kept, false);
  t.match(pool.counted, { slowUploads: 0 });
  pass(limits.slowUploadGraceMs + 32);
  t.equal((await first.end()).failure, 'slow-client');
  await quick.until('sent');
  quick.call.cancel();
});

t.test('an upload waits for a place no longer than any request for a connection', async (t) => {
  const { pool, pass } = await rig(t, 1);
  const first = slow(pool);
  await first.until('sent');
  first.call.write(kept, false);
  first.call.write(kept, false);
  const second = slow(pool);
  second.call.write(kept, false);
  first.call.write(kept, false);
  pass(5032);
  t.equal((await second.end()).failure, 'overloaded');
  t.match(pool.counted, { queueTimeouts: 1, waitingUploads: 0 });
  first.call.cancel();
});

t.test('a client that waits for 100 Continue waits for a place, and not for itself', async (t) => {
  const { pool, pass } = await rig(t, 1);
  const first = await slow(pool).until('sent');
  const polite = new Exchange();
  polite.send(pool, { method: 'POST', framing: Framing.CHUNKED, expectsContinue: true });
  polite.call.write(new Uint8Array(0), false);
  pass(limits.slowUploadGraceMs + 32);
  t.equal((await first.end()).failure, 'slow-client');
  await polite.until('sent');
  polite.call.cancel();
});

t.test('uploads that wait are bounded: the one that waits longest for its client is ended', async (t) => {
  const { pool } = await rig(t, 1);
  const uploads = Array.from({ length: limits.waitingUploads + 1 }, () => slow(pool));
  t.match(pool.counted, { waitingUploads: limits.waitingUploads, slowUploads: 0 });
  const newest = slow(pool);
  t.equal((await uploads[1]!.end()).failure, 'slow-client');
  t.match(pool.counted, { waitingUploads: limits.waitingUploads, slowUploads: 1 });
  t.equal(newest.over, false);
  for (const upload of [...uploads, newest]) upload.call.cancel();
  t.equal(pool.uploads.waiting, 0);
});

t.test('what is kept of a waiting upload takes no block, whatever length it announces', async (t) => {
  const { pool } = await rig(t, 1);
  const first = slow(pool);
  const announced = new Exchange();
  announced.send(pool, { method: 'POST', framing: Framing.LENGTH, contentLength: 1e9, totalMs: 0 });
  t.equal(announced.call.write(Buffer.from('x'), false), true, 'its client is not held back yet');
  t.equal(pool.resources.arena.heldBytes, 0);
  first.call.cancel();
  await announced.until('sent');
  announced.call.cancel();
});

t.test('a body that waits is sent whole, however small its pieces are', async (t) => {
  const { pool } = await rig(t);
  const uploads = Array.from({ length: 3 }, () => slow(pool));
  const bytes = slow(pool);
  const text = Array.from({ length: 1000 }, (_, i) => String.fromCharCode(97 + (i % 26)));
  for (const byte of text) t.equal(bytes.call.write(Buffer.from(byte), false), true);
  bytes.call.write(new Uint8Array(0), true);
  t.equal((await bytes.end()).body, 'ok');
  t.equal(bytes.call.figures.requestBytes, 1 + text.length);
  for (const upload of uploads) upload.call.cancel();
});

t.test('the frames of chunks count as what is kept', async (t) => {
  const { pool } = await rig(t, 1);
  const first = slow(pool);
  const bytes = slow(pool);
  let sent = 0;
  while (bytes.call.write(Buffer.from('x'), false)) sent++;
  t.ok(sent < limits.replayBytes, `${sent} chunks of one byte`);
  t.ok(bytes.call.heldBytes < 3 * limits.replayBytes);
  for (const upload of [first, bytes]) upload.call.cancel();
});
