/**
 * Every known attack on HTTP/2 over a socket of its own: it ends with the right error, is counted, holds no
 * more than it may, and a client beside it is served all the while.
 */

import { Setting } from '../../../../core/http2/settings.js';
import { limits } from '../../../../core/limits.js';
import { frame, get, post, settingsFrame, uint32 } from '../../../core/http2/session-side.js';
import { RawHttp2 } from '../../../support/raw-http2.js';
import t, { type Test } from '../../../support/tap.js';
import type { Seen } from '../uws/rig.js';
import { headOf } from './http2-rig.js';
import { NodeRig } from './rig.js';

const INT31_MAX = 2 ** 31 - 1;
const CANCEL = uint32(8);
const ping = frame(6, 0, 0, Buffer.alloc(8));
/** Frames in one write: a client that is cut off has sent no more than a few of them too many. */
const BATCH = 256;

interface Attack {
  readonly what: string;
  readonly guard: string;
  readonly code: string;
  /** The `n`th round of bytes. */
  readonly round: (client: RawHttp2, n: number) => Buffer[];
  readonly rounds: number;
  /** What the proxy does with a request; without it, it answers. */
  readonly onSeen?: (seen: Seen) => void;
}

const id = (n: number): number => 2 * n + 1;
const many = limits.http2EmptyFrames + 2000;
/** `GET / HTTP/2` of the host `h`, of static entries and one literal that is not indexed. */
const small = Buffer.from([0x82, 0x86, 0x84, 0x01, 1, 0x68]);
/** The same with a literal `x` of 2000 bytes that is indexed: its length is 127 and 1873 more. */
const large = Buffer.concat([small, Buffer.from([0x40, 1, 0x78, 0x7f, 0xd1, 0x0e]), Buffer.alloc(2000, 'y')]);
/** The newest entry of the table, 60 times. */
const named = Buffer.alloc(60, 0x80 | 62);

const attacks: readonly Attack[] = [
  {
    what: 'rapid reset (CVE-2023-44487)',
    guard: 'resets',
    code: 'ENHANCE_YOUR_CALM',
    rounds: 1000,
    round: (client, n) => [client.headers(id(n), get), frame(3, 0, id(n), CANCEL)],
    onSeen: () => {},
  },
  {
    what: 'resets that we are made to send (CVE-2025-8671)',
    guard: 'resets',
    code: 'ENHANCE_YOUR_CALM',
    rounds: 1000,
    round: (client, n) => [client.headers(id(n), get), frame(8, 0, id(n), uint32(0))],
    onSeen: () => {},
  },
  {
    what: 'streams past the limit',
    guard: 'streams',
    code: 'ENHANCE_YOUR_CALM',
    rounds: 1000,
    round: (client, n) => [client.headers(id(n), get)],
    onSeen: () => {},
  },
  {
    what: 'CONTINUATION flood (CVE-2024-27316)',
    guard: 'block',
    code: 'ENHANCE_YOUR_CALM',
    rounds: 1000,
    round: (_client, n) => [n === 0 ? frame(1, 1, 1) : frame(9, 0, 1, Buffer.alloc(100, 0x82))],
  },
  {
    what: 'HPACK bomb',
    guard: 'lists',
    code: 'ENHANCE_YOUR_CALM',
    rounds: 400,
    // One field of 2 KiB, which enters the table with the first block, and is named 60 times by each.
    round: (_client, n) => [frame(1, 5, id(n), Buffer.concat([n === 0 ? large : small, named]))],
  },
  {
    what: 'SETTINGS of many entries',
    guard: 'settings',
    code: 'ENHANCE_YOUR_CALM',
    rounds: 1,
    round: () => [
      settingsFrame(...Array.from({ length: 33 }, () => [Setting.INITIAL_WINDOW_SIZE, 7] as const)),
    ],
  },
  ...(
    [
      ['PING', ping],
      ['SETTINGS', settingsFrame()],
      ['PRIORITY', frame(2, 0, 3, Buffer.alloc(5))],
      ['unknown frames', frame(77, 0, 0, Buffer.alloc(3))],
      ['WINDOW_UPDATE', frame(8, 0, 0, uint32(1))],
    ] as const
  ).map(([name, bytes]) => ({
    what: `${name} flood`,
    guard: 'frames',
    code: 'ENHANCE_YOUR_CALM',
    rounds: many,
    round: () => [bytes],
  })),
  {
    what: 'empty DATA',
    guard: 'frames',
    code: 'ENHANCE_YOUR_CALM',
    rounds: many,
    round: (client, n) => [n === 0 ? client.headers(1, post, false) : frame(0, 0, 1)],
    onSeen: () => {},
  },
  {
    what: 'a window past 2^31 - 1',
    guard: 'window',
    code: 'FLOW_CONTROL_ERROR',
    rounds: 1,
    round: () => [frame(8, 0, 0, uint32(INT31_MAX))],
  },
];

/** A client that asks again as soon as it is answered; how often it was. */
function neighbour(client: RawHttp2): { stop: () => Promise<number> } {
  let isOver = false;
  const done = (async () => {
    let answers = 0;
    for (; !isOver || answers === 0; answers++) {
      client.send(client.headers(id(answers), [...get.slice(0, 2), [':path', '/n'], get[3]!]));
      await client.until(new RegExp(`^HEADERS ${id(answers)} :status=200 `));
      client.frames.length = 0;
    }
    return answers;
  })();
  return {
    stop: () => {
      isOver = true;
      return done;
    },
  };
}

async function attack(t: Test, { guard, code, round, rounds, onSeen }: Attack): Promise<void> {
  const rig = await NodeRig.start(t, (seen) => {
    if (seen.target === '/n' || onSeen === undefined) seen.responder.answer(200, '');
    else onSeen(seen);
  });
  const { port } = rig.acceptor;
  const beside = await RawHttp2.connect(port);
  const other = neighbour(beside);
  const client = await RawHttp2.connect(port);
  for (let n = 0; n < rounds && !client.isClosed; ) {
    const parts: Buffer[] = [];
    for (const end = Math.min(rounds, n + BATCH); n < end; n++) parts.push(...round(client, n));
    client.send(...parts);
    await new Promise(setImmediate);
  }
  await client.until(new RegExp(`^GOAWAY \\d+ ${code}$`));
  await client.ended();
  t.ok(rig.guards.includes(guard), `guard ${guard}`);
  const held = rig.seen.filter(({ target }) => target !== '/n').length;
  t.ok(held <= limits.http2Streams + limits.http2Resets + 1, `${held} requests were begun`);
  t.ok((await other.stop()) > 0, 'another client is served');
  beside.socket.destroy();
  await rig.until(() => rig.downstream.connections() === 0);
  t.equal(rig.downstream.active(), 0);
}

for (const one of attacks) t.test(one.what, (t) => attack(t, one));

t.test('DATA past a window, which a consumer that takes nothing does not open', async (t) => {
  const rig = await NodeRig.start(t, ({ responder, method }) => {
    if (method === 'POST') responder.pauseBody();
    else responder.answer(200, '');
  });
  const client = await RawHttp2.connect(rig.acceptor.port);
  const piece = frame(0, 0, 1, Buffer.alloc(16_384));
  client.send(client.headers(1, post, false), ...Array.from({ length: 17 }, () => piece));
  await client.until(/^RST_STREAM 1 FLOW_CONTROL_ERROR$/);
  client.send(piece, client.headers(3, get));
  await client.until(/^HEADERS 3 :status=200 /);
  t.strictSame(rig.guards, ['window', 'closed']);
  t.match(rig.seen[0], { bodyBytes: 256 * 1024, aborted: 1 });
  client.socket.destroy();
  await rig.until(() => rig.downstream.connections() === 0);
});

t.test(
  'responses that wait: where a thread holds much, no connection holds more than one of HTTP/1.1',
  async (t) => {
    const rig = await NodeRig.start(t, ({ responder }) => {
      responder.sendHead(headOf('200 OK\r\nTransfer-Encoding: chunked'));
      responder.sendBody(Buffer.alloc(64 * 1024));
    });
    const { resources } = rig.downstream;
    // What others have waiting.
    resources.http2WaitingBytes = limits.http2WaitingBytes;
    const client = await RawHttp2.connect(rig.acceptor.port, [[Setting.INITIAL_WINDOW_SIZE, 0]]);
    const fits = limits.downstreamBufferBytes / (64 * 1024);
    for (let n = 0; n <= fits; n++) client.send(client.headers(id(n), get));
    await client.until(new RegExp(`^RST_STREAM ${id(fits)} ENHANCE_YOUR_CALM$`));
    t.strictSame(rig.guards, ['output']);
    t.equal(client.frames.filter((line) => line.startsWith('RST_STREAM')).length, 1);
    // One that the client takes makes room for another.
    client.send(frame(8, 0, 0, uint32(64 * 1024)), frame(8, 0, 1, uint32(64 * 1024)));
    await rig.until(() => rig.seen[0]!.writable === 1);
    client.send(client.headers(101, get));
    await client.until(/^HEADERS 101 :status=200 /);
    t.equal(rig.guards.length, 1);
    client.socket.destroy();
    await rig.until(() => rig.downstream.connections() === 0);
    t.equal(resources.http2WaitingBytes, limits.http2WaitingBytes);
  },
);

t.test('a client that reads nothing while it is answered', async (t) => {
  const rig = await NodeRig.start(t, ({ responder, target }) => {
    responder.answer(200, target === '/n' ? '' : 'x');
  });
  const beside = await RawHttp2.connect(rig.acceptor.port);
  const other = neighbour(beside);
  const client = await RawHttp2.connect(rig.acceptor.port);
  client.socket.pause();
  const ended = new Promise((resolve) => client.socket.once('close', resolve));
  // Each ping that is answered costs 17 bytes; no window bounds them.
  let n = 0;
  while (!rig.guards.includes('output') && !rig.guards.includes('frames') && n < 100_000) {
    client.send(...Array.from({ length: BATCH }, () => ping));
    n += BATCH;
    await new Promise(setImmediate);
  }
  t.ok(rig.guards.length > 0);
  t.ok((await other.stop()) > 0, 'another client is served');
  client.socket.destroy();
  await ended;
  beside.socket.destroy();
  await rig.until(() => rig.downstream.connections() === 0);
});
