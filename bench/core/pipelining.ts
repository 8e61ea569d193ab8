/**
 * What pipelining could save towards a shadow that allows it: the CPU of this process per bodyless request, sent in batches
 * as a shadow thread gets them from its rings. One side is the upstream client as it is, a connection for each request of a batch; the other
 * writes a whole batch at once on one connection and reads its responses in order with the same reader, with nothing around
 * it: no deadlines, no retry, no ledger, so it is the least that pipelining can cost. The origin is another process.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { nowUs } from '../../core/clock.js';
import { Framing } from '../../core/http/message.js';
import { writeRequestHead } from '../../core/http/request-writer.js';
import { ResponseReader } from '../../core/http/response-reader.js';
import type { ResponseSink } from '../../core/upstream/call.js';
import { UpstreamCall } from '../../core/upstream/client.js';
import { VersionPool } from '../../core/upstream/pool.js';
import { type UpstreamCounters, UpstreamResources } from '../../core/upstream/resources.js';

const batches = [1, 4, 16];
const rounds = 5;
const requestsPerRound = 32_000;
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];

const fields = [
  'user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36',
  'accept: text/html,application/xhtml+xml',
  'accept-language: en',
  'x-request-id: 7f3c1d2e-9a51-4a7e-b0a5-22b1f0c1d9aa',
  'cookie: theme=dark; session=4cf1b2a07d31; lang=en',
  'x-umbra-mirror: 1',
]
  .map((line) => `${line}\r\n`)
  .join('');

function head(): string {
  return writeRequestHead('GET', '/reviews/7?page=2', 'reviews-shadow', fields, Framing.NONE, 0);
}

/** Sends `count` requests, `batch` at a time; resolves when the last response is whole. */
type Side = (count: number, batch: number) => Promise<void>;

const nothing = (): void => {};

function countersOfNothing(): UpstreamCounters {
  return {
    connectionOpened: nothing,
    connectionClosed: nothing,
    idleChanged: nothing,
    handshakeDone: nothing,
    requestRetried: nothing,
    waitingChanged: nothing,
    queueRefused: nothing,
    queueTimedOut: nothing,
    ejectedChanged: nothing,
  };
}

function clientSide(port: number): Side {
  const pool = new VersionPool(
    {
      name: 'v2',
      endpoints: [
        { address: { kind: 'tcp', host: '127.0.0.1', port }, authority: `127.0.0.1:${port}`, secure: false },
      ],
      connectionsMax: 256,
      idleMs: 60_000,
      connectTimeoutMs: 1000,
      queueMax: 1024,
      queueTimeoutMs: 5000,
      dnsRefreshMs: 10_000,
      health: null,
      ejection: { failures: 5, baseTimeMs: 1000, maxTimeMs: 30_000, maxShareMillionths: 500_000 },
      slowStartMs: 10_000,
      tls: null,
    },
    new UpstreamResources(nowUs, countersOfNothing()),
  );
  return (count, batch) =>
    new Promise((resolve, reject) => {
      let left = count;
      let open = 0;
      const sink: ResponseSink = {
        batch: (run) => run(),
        onInterim: nothing,
        onHead: nothing,
        onResponseBody: nothing,
        onResponseTrailers: nothing,
        onSwitch: nothing,
        onDrain: nothing,
        onSent: nothing,
        onFailure: () => reject(new Error('a request failed')),
        onEnd: () => {
          if (--open === 0) setImmediate(next);
        },
      };
      const calls = Array.from({ length: batch }, () => new UpstreamCall(sink));
      const next = (): void => {
        if (left <= 0) {
          resolve();
          return;
        }
        left -= batch;
        open = batch;
        for (const call of calls) call.start(pool, head(), 'GET', Framing.NONE, 0, 5000);
      };
      next();
    });
}

async function pipelinedSide(port: number): Promise<Side> {
  let onResponse = nothing;
  const sink = {
    onInterim: nothing,
    onHead: nothing,
    onBody: nothing,
    onTrailers: nothing,
    onEnd: () => onResponse(),
  };
  const reader = new ResponseReader(sink);
  const buffer = Buffer.allocUnsafeSlow(64 * 1024);
  // All responses of this origin are alike, so their length says where one ends: the reader itself takes one at a time.
  let responseBytes = 0;
  let pendingBytes = 0;
  const socket = connect({
    host: '127.0.0.1',
    port,
    onread: {
      buffer,
      callback: (bytes) => {
        responseBytes ||= bytes;
        let at = 0;
        while (at < bytes) {
          const end = Math.min(bytes, at + responseBytes - pendingBytes);
          if (pendingBytes === 0) reader.reset(sink, false);
          reader.feed(buffer, at, end);
          pendingBytes = (pendingBytes + end - at) % responseBytes;
          at = end;
        }
        return true;
      },
    },
  });
  socket.setNoDelay(true);
  await once(socket, 'connect');
  return (count, batch) =>
    new Promise((resolve) => {
      let left = count;
      let open = 0;
      const next = (): void => {
        if (left <= 0) {
          resolve();
          return;
        }
        left -= batch;
        open = batch;
        let wire = '';
        for (let i = 0; i < batch; i++) wire += head();
        socket.write(wire, 'latin1');
      };
      onResponse = () => {
        if (--open === 0) setImmediate(next);
      };
      next();
    });
}

async function cpuUs(side: Side, batch: number): Promise<number> {
  const before = process.cpuUsage();
  await side(requestsPerRound, batch);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / requestsPerRound;
}

const origin = fork(fileURLToPath(new URL('../end-to-end/origin.js', import.meta.url)));
const [{ port }] = (await once(origin, 'message')) as [{ port: number }];
const sides = { 'a connection each': clientSide(port), pipelined: await pipelinedSide(port) };
// The first response alone tells its length.
await sides.pipelined(1, 1);
console.log('\nCPU of the sender per bodyless request, medians of rounds in turn');
for (const batch of batches) {
  const seen: Record<string, number[]> = { 'a connection each': [], pipelined: [] };
  for (let round = 0; round <= rounds; round++) {
    for (const [name, side] of Object.entries(sides)) {
      const us = await cpuUs(side, batch);
      // The first round warms up.
      if (round > 0) seen[name].push(us);
    }
  }
  const [each, pipelined] = [median(seen['a connection each']), median(seen.pipelined)];
  console.log(
    `  batches of ${String(batch).padStart(2)}: a connection each ${each.toFixed(1)} us, pipelined ${pipelined.toFixed(1)} us, ratio ${(pipelined / each).toFixed(2)}`,
  );
}
origin.disconnect();
process.exit();
