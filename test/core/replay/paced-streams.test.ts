/** Recorded streams of gRPC that are sent to a server of Node's HTTP/2, at the times of their messages. */
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { nowUs } from '../../../core/clock.js';
import { type Failure, failureReasons, none } from '../../../core/errors.js';
import { framedMessage } from '../../../core/grpc/message-counter.js';
import { Framing } from '../../../core/http/message.js';
import { VersionCounters } from '../../../core/record/version-counters.js';
import { type MessagePace, ReplayCall } from '../../../core/replay/replay-call.js';
import { VersionPool } from '../../../core/upstream/pool.js';
import { UpstreamResources } from '../../../core/upstream/resources.js';
import { targetsAsWritten } from '../../../core/upstream/target.js';
import { serverAsVersion } from '../../../workers/commands/one-mirror.js';
import t from '../../support/tap.js';
import { RecordingCounters } from '../upstream/exchange.js';

interface Played {
  readonly failure: string;
  /** When the server had read each piece, in milliseconds from the first one. */
  readonly atMs: readonly number[];
  readonly tookMs: number;
  readonly bytes: number;
}

/** Three messages, a second between each two, and the end half a second later. */
const times = '0 1000000 1000000 500000';
const body = Buffer.concat([1, 2, 3].map((id) => framedMessage(Buffer.from([8, id]))));

async function play(
  pace: MessagePace,
  { timeoutMs = 60_000, messageTimes = times, endsEarly = false } = {},
): Promise<Played> {
  const arrivedUs: number[] = [];
  let bytes = 0;
  const server = createServer();
  server.on('stream', (stream) => {
    stream.on('error', () => {});
    const trailers = { 'content-type': 'application/grpc', 'grpc-status': '0' };
    stream.on('data', (piece: Buffer) => {
      arrivedUs.push(nowUs());
      bytes += piece.byteLength;
      if (endsEarly && !stream.headersSent)
        stream.respond({ ':status': 200, ...trailers }, { endStream: true });
    });
    stream.on('end', () => {
      if (!stream.headersSent) stream.respond({ ':status': 200, ...trailers }, { endStream: true });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const version = {
    ...serverAsVersion('v2', `http://127.0.0.1:${port}`, 8, 8, 60_000),
    protocol: 'http2' as const,
  };
  const resources = new UpstreamResources(nowUs, new RecordingCounters());
  const pool = new VersionPool(version, resources, targetsAsWritten(version));
  const beganUs = nowUs();
  const failure = await new Promise<Failure | typeof none>((resolve) => {
    const call = new ReplayCall({ onSent: () => {}, onOver: (_, failure) => resolve(failure) });
    const counters = new VersionCounters(VersionCounters.create());
    const request = {
      method: 'POST',
      target: '/shop.Shop/Put',
      host: 'h',
      fields: 'content-type: application/grpc\r\n',
      framing: Framing.CHUNKED,
      lengthZero: false,
      body,
      trailers: '',
      grpc: true,
      messageTimes,
    };
    call.start(
      { pool, grpcPool: pool, counters, host: null, tokens: null },
      request,
      -1,
      timeoutMs,
      false,
      pace,
    );
  });
  const tookMs = (nowUs() - beganUs) / 1000;
  pool.close();
  await new Promise((resolve) => server.close(resolve));
  return {
    failure: failure === none ? '' : failureReasons[failure],
    atMs: arrivedUs.map((us) => (us - arrivedUs[0]) / 1000),
    tookMs,
    bytes,
  };
}

t.test('messages are sent at their times, and the stream ends at its own', async (t) => {
  const { failure, atMs, tookMs, bytes } = await play({ speed: 1, longStreams: 'extend' });
  t.equal(failure, '');
  t.equal(bytes, body.byteLength);
  t.equal(atMs.length, 3);
  // A server that reads late reads the first message late too, so bounds are a little lower.
  t.ok(atMs[1] > 800 && atMs[2] > 1800, `at ${atMs}`);
  t.ok(tookMs >= 2500, `${tookMs} ms`);
});

t.test('a speed divides the times, and at most speed there are none', async (t) => {
  const fast = await play({ speed: 10, longStreams: 'extend' });
  t.ok(fast.tookMs >= 250 && fast.tookMs < 2000, `${fast.tookMs} ms`);
  const most = await play({ speed: Number.POSITIVE_INFINITY, longStreams: 'extend' });
  t.equal(most.bytes, body.byteLength);
  t.ok(most.tookMs < 1500, `${most.tookMs} ms`);
  const unknown = await play({ speed: 1, longStreams: 'extend' }, { messageTimes: '' });
  t.ok(unknown.tookMs < 1500, 'a recording without times is sent at once');
});

t.test('a stream that is longer than its timeout extends it, or is sent faster', async (t) => {
  const extended = await play({ speed: 2, longStreams: 'extend' }, { timeoutMs: 1000 });
  t.equal(extended.failure, '');
  t.ok(extended.tookMs >= 1250, `${extended.tookMs} ms`);
  const hurried = await play({ speed: 1, longStreams: 'hurry' }, { timeoutMs: 2000 });
  t.equal(hurried.failure, '');
  t.ok(hurried.tookMs >= 1000 && hurried.tookMs < 2000, `${hurried.tookMs} ms`);
});

t.test('an answer before the last message ends the call, and nothing more is sent', async (t) => {
  const { failure, bytes, tookMs } = await play({ speed: 1, longStreams: 'extend' }, { endsEarly: true });
  t.equal(failure, '');
  t.ok(bytes < body.byteLength);
  t.ok(tookMs < 900, `${tookMs} ms`);
});
