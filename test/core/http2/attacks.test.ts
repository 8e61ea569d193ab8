/**
 * Every known attack on HTTP/2 against a session alone, with a clock that stands still: it ends with the
 * right error, says which guard was reached, and has held no more than it may by then.
 */

import { Setting } from '../../../core/http2/settings.js';
import { limits } from '../../../core/limits.js';
import t, { type Test } from '../../support/tap.js';
import { ClientSide, frame, get, post, ServerSide, settingsFrame, uint32 } from './session-side.js';

const CANCEL = uint32(8);
const ping = frame(6, 0, 0, Buffer.alloc(8));
const US_PER_SECOND = 1e6;

/** Feeds rounds until the session is over; returns how many it took. */
function roundsUntilOver(side: ServerSide, round: (n: number) => Buffer[], most = 20_000): number {
  for (let n = 0; n < most; n++) {
    side.feed(...round(n));
    if (side.session.isOver) return n + 1;
  }
  return most;
}

function endedBy(t: Test, side: ServerSide, guard: string, code = 'ENHANCE_YOUR_CALM'): void {
  const events = side.events();
  t.ok(events.includes(`guard ${guard}`), `guard ${guard}`);
  t.equal(events.at(-1), `over ${code}`);
  t.equal(side.session.open, 0);
  side.session.lost();
  t.equal(side.arena.heldBytes, 0);
}

t.test('rapid reset (CVE-2023-44487): 200 at once, and 33 a second', async (t) => {
  const side = new ServerSide().greeted();
  const round = (n: number): Buffer[] => [side.headers(n * 2 + 1, get), frame(3, 0, n * 2 + 1, CANCEL)];
  t.equal(roundsUntilOver(side, round), limits.http2Resets + 1);
  endedBy(t, side, 'resets');

  const slow = new ServerSide().greeted();
  for (let n = 0; n < 1000; n++) {
    slow.nowUs += US_PER_SECOND / limits.http2ResetsPerSecond;
    slow.feed(slow.headers(n * 2 + 1, get), frame(3, 0, n * 2 + 1, CANCEL));
  }
  t.notOk(slow.session.isOver);
});

t.test('MadeYouReset (CVE-2025-8671): resets that the client makes us send count the same', async (t) => {
  const frames: [what: string, bytes: (side: ServerSide, id: number) => Buffer][] = [
    ['an increment of 0', (_side, id) => frame(8, 0, id, uint32(0))],
    ['a window that is too large', (_side, id) => frame(8, 0, id, uint32(2 ** 31 - 1))],
    ['DATA behind the end', (_side, id) => frame(0, 0, id)],
    ['HEADERS behind the end', (side, id) => side.headers(id, get)],
    ['a priority on itself', (_side, id) => frame(2, 0, id, Buffer.concat([uint32(id), Buffer.alloc(1)]))],
  ];
  for (const [what, bytes] of frames) {
    const side = new ServerSide().greeted();
    const round = (n: number): Buffer[] => [side.headers(n * 2 + 1, get), bytes(side, n * 2 + 1)];
    t.equal(roundsUntilOver(side, round), limits.http2Resets + 1, what);
    endedBy(t, side, 'resets');
  }
});

t.test('malformed requests, and streams past the limit, count as resets', async (t) => {
  const malformed = new ServerSide().greeted();
  t.equal(
    roundsUntilOver(malformed, (n) => [malformed.headers(n * 2 + 1, [['a', 'b']])]),
    limits.http2Resets + 1,
  );
  endedBy(t, malformed, 'resets');

  const many = new ServerSide().greeted();
  const rounds = roundsUntilOver(many, (n) => [many.headers(n * 2 + 1, get)]);
  t.equal(rounds, limits.http2Streams + limits.http2Resets + 1);
  endedBy(t, many, 'streams');
});

t.test('CONTINUATION flood (CVE-2024-27316): by frames and by bytes', async (t) => {
  const empty = new ServerSide().greeted();
  empty.feed(frame(1, 1, 1));
  t.equal(
    roundsUntilOver(empty, () => [frame(9, 0, 1)]),
    limits.http2BlockFrames,
  );
  endedBy(t, empty, 'block');

  const large = new ServerSide().greeted();
  const payload = Buffer.alloc(16_384, 0x82);
  large.feed(frame(1, 1, 1, payload));
  t.equal(
    roundsUntilOver(large, () => [frame(9, 0, 1, payload)]),
    limits.http2BlockBytes / 16_384,
  );
  endedBy(t, large, 'block');
});

t.test('frames that carry nothing', async (t) => {
  const kinds: [what: string, bytes: Buffer][] = [
    ['PING', ping],
    ['PING that answers none', frame(6, 1, 0, Buffer.alloc(8))],
    ['SETTINGS', settingsFrame([Setting.MAX_CONCURRENT_STREAMS, 7])],
    ['acknowledgements', frame(4, 1, 0)],
    ['GOAWAY', frame(7, 0, 0, uint32(0, 0))],
    ['PRIORITY', frame(2, 0, 7, Buffer.alloc(5))],
    ['unknown frames', frame(0xbe, 0, 0)],
    ['WINDOW_UPDATE', frame(8, 0, 0, uint32(1))],
    ['WINDOW_UPDATE on a stream', frame(8, 0, 1, uint32(1))],
    ['empty DATA', frame(0, 0, 1)],
    ['RST_STREAM of a stream that is closed', frame(3, 0, 3, CANCEL)],
  ];
  for (const [what, bytes] of kinds) {
    const side = new ServerSide().greeted();
    side.feed(side.headers(1, post, false), side.headers(3, get), frame(3, 0, 3, CANCEL));
    const rounds = roundsUntilOver(side, () => [bytes]);
    t.ok(
      rounds > limits.http2EmptyFrames - 10 && rounds <= limits.http2EmptyFrames + 1,
      `${what}: ${rounds}`,
    );
    endedBy(t, side, 'frames');
  }
});

t.test('a client that reads a long body may send as many updates as it needs', async (t) => {
  const side = new ServerSide().greeted([Setting.INITIAL_WINDOW_SIZE, 2 ** 30]);
  side.feed(side.headers(1, get));
  side.session.sendAnswer(side.stream(1), 200, '', false);
  const piece = Buffer.alloc(16_384);
  for (let n = 0; n < limits.http2EmptyFrames * 2; n++) {
    side.session.write(side.stream(1), piece, false);
    side.feed(frame(8, 0, 0, uint32(16_384)), frame(8, 0, 1, uint32(16_384)));
  }
  t.notOk(side.session.isOver);
});

t.test('a client may send a priority and an update with each request', async (t) => {
  const side = new ServerSide().greeted();
  for (let n = 0; n < limits.http2EmptyFrames; n++) {
    const id = n * 2 + 1;
    side.feed(side.headers(id, get), frame(2, 0, id, Buffer.alloc(5)), frame(8, 0, 0, uint32(1)));
    side.session.sendAnswer(side.stream(id), 204, '', true);
  }
  t.notOk(side.session.isOver);
});

t.test('a frame of SETTINGS with too many entries', async (t) => {
  const side = new ServerSide().greeted();
  const entry: [number, number] = [Setting.HEADER_TABLE_SIZE, 0];
  side.feed(settingsFrame(...Array(limits.http2SettingsEntries).fill(entry)));
  t.notOk(side.session.isOver);
  side.feed(settingsFrame(...Array(limits.http2SettingsEntries + 1).fill(entry)));
  endedBy(t, side, 'settings');
});

t.test('settings that move the table back and forth leave no debt behind', async (t) => {
  const side = new ServerSide().greeted();
  for (let n = 0; n < 1000; n++)
    side.feed(settingsFrame([Setting.HEADER_TABLE_SIZE, n % 2 === 0 ? 0 : 4096]));
  side.feed(side.headers(1, get));
  side.session.sendAnswer(side.stream(1), 200, 'a: b\r\n', true);
  t.strictSame(side.sent(), ['HEADERS 1 :status=200 a=b end']);
});

t.test('windows that overflow end the stream or the connection with FLOW_CONTROL_ERROR', async (t) => {
  const side = new ServerSide().greeted();
  side.feed(side.headers(1, get));
  t.strictSame(side.feed(frame(8, 0, 1, uint32(2 ** 31 - 1))), ['RST_STREAM 1 FLOW_CONTROL_ERROR']);
  t.strictSame(side.feed(frame(8, 0, 0, uint32(2 ** 31 - 1))), ['GOAWAY 1 FLOW_CONTROL_ERROR']);
});

t.test('DATA past the windows', async (t) => {
  const piece = (id: number): Buffer => frame(0, 0, id, Buffer.alloc(16_384));
  const stream = new ServerSide().greeted();
  stream.feed(stream.headers(1, post, false));
  stream.session.pause(stream.stream(1));
  let sent: string[] = [];
  for (let n = 0; n < 17; n++) sent = stream.feed(piece(1));
  t.strictSame(sent, ['RST_STREAM 1 FLOW_CONTROL_ERROR']);
  t.ok(stream.events().includes('guard window'));

  // A client that never reads our updates, with DATA on a stream that we have reset.
  t.notOk(stream.session.isOver);
  for (let n = 0; n < 200; n++) stream.feed(piece(1));
  t.notOk(stream.session.isOver, 'the window of the connection is opened for the other streams');
  t.ok(stream.events().every((event) => event === 'guard closed'));
});

t.test('an HPACK bomb: 16,000 references to one large field', async (t) => {
  const side = new ServerSide().greeted();
  const large = [['x', 'a'.repeat(900)]] as const;
  for (const id of [1, 3]) side.feed(side.headers(id, [...get, ...large]));
  side.events();
  const heads = side.headers(5, get).subarray(9);
  const block = Buffer.concat([heads, Buffer.alloc(16_000, 0x80 | 62)]);
  t.strictSame(side.feed(frame(1, 5, 5, block)), ['HEADERS 5 :status=431 end']);
  t.strictSame(side.events(), ['guard lists', '5 refused head-too-large', '5 closed']);

  const rounds = roundsUntilOver(side, (n) => [frame(1, 5, n * 2 + 7, block)]);
  t.equal(rounds, limits.http2LargeLists);
  endedBy(t, side, 'lists');
});

t.test('a client that reads nothing while it asks: what waits for it is bounded', async (t) => {
  const side = new ServerSide().greeted();
  side.target.isFull = true;
  let held = 0;
  const rounds = roundsUntilOver(side, () => {
    side.nowUs += US_PER_SECOND;
    held = Math.max(held, side.arena.heldBytes);
    return Array(1000).fill(ping);
  });
  t.ok(rounds < 100, `${rounds} rounds`);
  t.ok(held <= limits.http2OutputBytes + 2 * limits.writeBlockBytes, `${held} bytes`);
  endedBy(t, side, 'output');
});

t.test('a client that opens no window holds no more than the bodies that were written for it', async (t) => {
  const side = new ServerSide().greeted([Setting.INITIAL_WINDOW_SIZE, 0]);
  for (let n = 0; n < limits.http2Streams; n++) {
    const id = n * 2 + 1;
    side.feed(side.headers(id, get));
    side.session.sendAnswer(side.stream(id), 200, '', false);
    side.session.write(side.stream(id), Buffer.alloc(10_000), false);
    t.equal(side.stream(id).blockedSinceUs, 1, 'its deadline is found by this time');
  }
  side.sent();
  t.equal(side.arena.heldBytes, 0, 'no block is held for it');
  for (let n = 0; n < limits.http2Streams; n++) side.session.reset(side.stream(n * 2 + 1), 8);
  t.equal(side.session.open, 0);
});

t.test('a thread without memory left ends the connection, and gives back what it had', async (t) => {
  const side = new ServerSide().greeted([Setting.INITIAL_WINDOW_SIZE, 2 ** 30]);
  side.feed(side.headers(1, get));
  const blocks: Buffer[] = [];
  for (let block = side.arena.take(); block !== null; block = side.arena.take()) blocks.push(block);
  side.session.sendAnswer(side.stream(1), 200, '', true);
  side.session.flush();
  t.equal(side.events().at(-1), 'over INTERNAL_ERROR');
  side.session.lost();
  for (const block of blocks) side.arena.giveBack(block);
  t.equal(side.arena.heldBytes, 0);
});

t.test('a version that floods loses its connection, too', async (t) => {
  const side = new ClientSide().greeted();
  for (let n = 0; n <= limits.http2EmptyFrames && !side.session.isOver; n++) side.feed(ping);
  t.strictSame(side.events(), ['guard frames', 'over ENHANCE_YOUR_CALM']);
});
