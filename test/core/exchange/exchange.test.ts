import { Failure } from '../../../core/errors.js';
import { ThreadField } from '../../../core/record/thread-counters.js';
import { VersionField } from '../../../core/record/version-counters.js';
import { type RawPeer, type RawScript, RawServer, refusedPort } from '../../support/raw-server.js';
import t from '../../support/tap.js';
import { ExchangeRig } from './rig.js';

const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const begun = 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello';

/** Runs `test` with an exchange rig before a server that follows `script`. */
function withServer(
  name: string,
  script: RawScript,
  test: (t: import('../../support/tap.js').Test, rig: ExchangeRig, server: RawServer) => Promise<void>,
): void {
  t.test(name, async (t) => {
    const server = await RawServer.listen(script);
    const rig = new ExchangeRig(server.port);
    await test(t, rig, server);
    t.equal(rig.forwarder.inFlight, 0);
    t.equal(rig.version.get(VersionField.requests), rig.version.finished);
    rig.pool.close();
    await server.close();
  });
}

/** Answers every request on a connection. */
const answering: RawScript = async (peer) => {
  try {
    for (;;) {
      await peer.head();
      peer.send(ok);
    }
  } catch {
    // The connection ended.
  }
};

withServer(
  'a request goes to the primary and its response comes back in order',
  answering,
  async (t, rig) => {
    const { told } = rig.ask();
    await told.end();
    t.strictSame(told.events, ['head 200', 'body', 'finish']);
    t.equal(told.body, 'ok');
    t.equal(rig.version.wordAt(VersionField.responses + 100), 1);
    t.equal(rig.version.get(VersionField.bytesReceived), 2, 'bodies are counted without framing');
    t.equal(rig.version.get(VersionField.bytesSent), 0);
  },
);

withServer(
  'requests that no route matches are answered and counted, and go nowhere',
  answering,
  async (t, rig, server) => {
    const { told, sink } = rig.ask({ target: '/other' });
    t.strictSame(told.events, ['answer 404 no route matches this request']);
    // What the client still sends, or its leaving, has no taker.
    sink.onRequestBody(Buffer.from('x'), true);
    sink.onWritable();
    sink.onAborted(Failure.ABORTED);
    t.equal(rig.thread.get(ThreadField.unrouted), 1);
    t.equal(server.connections, 0);
  },
);

t.test('a primary that can not be reached is answered with 502', async (t) => {
  const rig = new ExchangeRig(await refusedPort());
  const { told } = rig.ask();
  await told.end();
  t.strictSame(told.events, ['answer 502 upstream connection failed']);
  t.equal(rig.version.wordAt(VersionField.failures + Failure.CONNECT), 1);
});

withServer(
  'after the head a failure can only cut',
  async (peer) => {
    await peer.head();
    await peer.sent(begun);
    peer.reset();
  },
  async (t, rig) => {
    const { told } = rig.ask();
    await told.end();
    t.strictSame(told.events, ['head 200', 'body', 'cut']);
    t.equal(rig.version.wordAt(VersionField.failures + Failure.RESET), 1);
  },
);

const grpcHead = (lines: string) => `HTTP/1.1 200 OK\r\n${lines}transfer-encoding: chunked\r\n\r\n`;
const isGrpc = 'content-type: application/grpc+proto\r\n';
const message = '\0\0\0\0\x02ab';
const lost =
  'cut grpc-status: 14\r\ngrpc-message: upstream closed the connection before its response was complete';
type Failing = readonly [what: string, head: string, body: string, end: string, grpc?: boolean];
const failing: readonly Failing[] = [
  ['before a message', isGrpc, '', lost],
  ['between two', isGrpc, message + message, lost],
  ['in the length of one', isGrpc, message + message.slice(0, 3), 'cut'],
  ['within one', isGrpc, message.slice(0, 6), 'cut'],
  ['behind what is no message', isGrpc, '\x07\0\0\0\x01a', 'cut'],
  ['in another response to gRPC', 'content-type: text/plain\r\n', '', 'cut'],
  ['in one whose head has its status', `${isGrpc}grpc-status: 5\r\n`, '', 'cut'],
  ['where the client does not speak gRPC', isGrpc, message, 'cut', false],
];
for (const [what, head, body, end, grpc = true] of failing) {
  withServer(
    `after the head a failure of gRPC ends with trailers where no message is cut: ${what}`,
    async (peer) => {
      await peer.head();
      const chunk = body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n`;
      await peer.sent(grpcHead(head) + chunk);
      peer.reset();
    },
    async (t, rig) => {
      const { told } = rig.ask({ grpc });
      await told.end();
      t.strictSame(told.events, ['head 200', ...(body === '' ? [] : ['body']), end]);
      t.equal(rig.version.wordAt(VersionField.failures + Failure.RESET), 1);
    },
  );
}

const seen: RawPeer[] = [];
let slow: RawPeer | null = null;
withServer(
  'a client that goes away closes the connection to the primary, whatever came before',
  async (peer) => {
    seen.push(peer);
    await peer.head();
    peer.send(begun);
  },
  async (t, rig) => {
    const { told, sink } = rig.ask();
    await told.until('body');
    sink.onAborted(Failure.ABORTED);
    // The engine may not know yet that the exchange is over.
    sink.onWritable();
    sink.onAborted(Failure.ABORTED);
    await seen[0].closed();
    t.strictSame(told.events, ['head 200', 'body']);
    t.equal(rig.version.wordAt(VersionField.failures + Failure.ABORTED), 1);
  },
);

withServer(
  'a client that can take no more stops the response until it can',
  async (peer, index) => {
    await peer.head();
    if (index > 0) {
      peer.send(ok);
      return;
    }
    await peer.sent('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nab');
    slow = peer;
  },
  async (t, rig) => {
    const { told, sink } = rig.ask();
    told.hasRoom = false;
    await told.until('body');
    while (slow === null) await new Promise(setImmediate);
    await slow.sent('cd');
    // A whole exchange of another client: the loop has had time to read what is there.
    await rig.ask().told.end();
    t.equal(told.body, 'ab');
    told.hasRoom = true;
    sink.onWritable();
    await told.end();
    t.strictSame([told.body, told.events.at(-1)], ['abcd', 'finish']);
  },
);

withServer(
  'an upload that the primary does not read is held back, and continues when it does',
  async (peer) => {
    peer.socket.pause();
    seen.push(peer);
    await peer.head();
    await peer.bytes(uploadBytes);
    peer.send(ok);
  },
  async (t, rig) => {
    const { told, sink } = rig.upload(uploadBytes);
    const piece = Buffer.alloc(uploadBytes / 64);
    let sent = 0;
    while (sent < 63 && !told.events.includes('pause')) {
      sink.onRequestBody(piece, false);
      sent++;
      if (sent === 1) await new Promise(setImmediate);
    }
    t.ok(told.events.includes('pause'));
    while (seen.length < 2) await new Promise(setImmediate);
    seen[1].socket.resume();
    await told.until('resume');
    while (sent < 64) sink.onRequestBody(piece, ++sent === 64);
    await told.end();
    t.equal(told.events.at(-1), 'finish');
  },
);
const uploadBytes = 16 * 1024 * 1024;

withServer('an exchange is used again only when its request was complete', answering, async (t, rig) => {
  const first = rig.ask();
  await first.told.end();
  const second = rig.ask();
  t.equal(second.sink, first.sink, 'the object of the first');
  await second.told.end();
  const unfinished = rig.upload(100);
  unfinished.sink.onRequestBody(Buffer.from('part'), false);
  await unfinished.told.end();
  const third = rig.ask();
  t.not(third.sink, unfinished.sink, 'its client may still send');
  unfinished.sink.onRequestBody(Buffer.from('late'), true);
  await third.told.end();
  t.strictSame(third.told.events, ['head 200', 'body', 'finish']);
});
