/**
 * Would it pay to read requests straight into a mirror's ring? `onread.buffer` may be a function, so a socket
 * can read into the ring's next free region; the primary's socket can send from there, and the frame needs no
 * copy.
 *
 * Two forwarders between the same client and the same version, taken in turn, on this thread alone, whose CPU
 * is measured:
 *   copies  as umbra does it: read into the thread's buffer, scan, make the head as a string, write head and
 *           body into a block for the primary and into a frame for the mirror
 *   ring    read into the ring, scan there, send the region as it stands and make it the frame. Nothing is
 *           spliced, so this is the most that can be won: a real one would also send what differs, and hold
 *           regions that sockets still read from.
 *
 * Run: node dist/bench/workers/read-into-ring.js (Linux: it reads /proc/thread-self)
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, Socket } from 'node:net';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { RequestHeadScanner } from '../../core/http/request-head-scanner.js';
import { writeRequestHead } from '../../core/http/request-writer.js';
import { Scan } from '../../core/http/scan.js';
import { latin1Write } from '../../core/http/wire.js';
import { limits } from '../../core/limits.js';

const connections = 16;
const rounds = 7;
const requestsPerRound = 16_000;
const bodySizes = [0, 1024, 4096, 16_384];
const ringBytes = limits.ringBytes;
const readBytes = limits.readBufferBytes;
const answer = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: 295\r\n\r\n${'x'.repeat(295)}`);
const fields =
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\nAccept: text/html,application/json;q=0.9\r\n' +
  'Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en-GB,en;q=0.5\r\nCookie: session=0123456789abcdef0123456789abcdef\r\n';

function requestOf(bodyBytes: number): Buffer {
  const method = bodyBytes === 0 ? 'GET' : 'POST';
  const length = bodyBytes === 0 ? '' : `Content-Length: ${bodyBytes}\r\n`;
  const head = `${method} /reviews/17?page=2 HTTP/1.1\r\nHost: reviews.example.com\r\n${fields}${length}\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.alloc(bodyBytes, 'b')]);
}

/** Takes a request off one client's connection, and passes it on; `bytes[start, end)` is whole. */
type Forward = (bytes: Buffer, start: number, end: number, upstream: Socket) => void;

const ring = Buffer.from(new SharedArrayBuffer(ringBytes));
const words = new Int32Array(ring.buffer);
const ownBuffer = Buffer.allocUnsafeSlow(readBytes);
const block = Buffer.allocUnsafeSlow(readBytes);
const scanner = new RequestHeadScanner();
let ringAt = 0;

/** Where the ring's next frame goes; its other end is thought to keep up. */
function region(bytes: number): number {
  if (ringAt + bytes > ringBytes) ringAt = 0;
  return ringAt;
}

function claim(offset: number, bytes: number): void {
  ringAt = (offset + bytes + 7) & -8;
  Atomics.store(words, 0, ringAt);
}

function scan(bytes: Buffer, start: number, end: number): number {
  if (scanner.scan(bytes, start, end) !== Scan.DONE) throw new Error('the request is not whole');
  return start + scanner.length;
}

const withCopies: Forward = (bytes, start, end, upstream) => {
  const bodyStart = scan(bytes, start, end);
  const { method, target, host, fields: lines } = scanner.head;
  const head = writeRequestHead(scanner.head);
  const bodyBytes = end - bodyStart;
  latin1Write(block, head, 0);
  if (bodyBytes > 0) block.set(bytes.subarray(bodyStart, end), head.length);
  upstream.write(block.subarray(0, head.length + bodyBytes));
  if (upstream.writableLength > 0) throw new Error('the version does not keep up');
  const wire = method + target + host + lines;
  const offset = region(wire.length + bodyBytes + 64);
  latin1Write(ring, wire, offset + 64);
  if (bodyBytes > 0) ring.set(bytes.subarray(bodyStart, end), offset + 64 + wire.length);
  claim(offset, 64 + wire.length + bodyBytes);
};

const fromRing: Forward = (bytes, start, end, upstream) => {
  scan(bytes, start, end);
  upstream.write(bytes.subarray(start, end));
  if (upstream.writableLength > 0) throw new Error('the version does not keep up');
  claim(start, end - start);
};

/** The handle of an accepted connection, taken over as the node engine does. */
interface Accepted {
  _handle: object | null;
}
interface TakeOver {
  readonly handle: object;
  readonly onread: {
    readonly buffer: Buffer | (() => Buffer);
    readonly callback: (bytes: number, buffer: Buffer) => boolean;
  };
}
const TakingSocket = Socket as unknown as new (options: TakeOver) => Socket;

/** Every connection with one of its own to the version. */
function forwarder(versionPort: number, requestBytes: number, direct: boolean): Server {
  return createServer({ pauseOnConnect: true }, (accepted) => {
    const handle = (accepted as unknown as Accepted)._handle!;
    (accepted as unknown as Accepted)._handle = null;
    let regionAt = 0;
    let held: Buffer = Buffer.alloc(0);
    const onRead = (bytes: number, buffer: Buffer): boolean => {
      if (held.length === 0 && bytes === requestBytes) {
        if (direct) fromRing(ring, regionAt, regionAt + bytes, upstream);
        else withCopies(buffer, 0, bytes, upstream);
        return true;
      }
      // Rare, and the same for both: a request in pieces is put together first.
      held = Buffer.concat([held, buffer.subarray(0, bytes)]);
      if (held.length < requestBytes) return true;
      withCopies(held, 0, held.length, upstream);
      held = Buffer.alloc(0);
      return true;
    };
    const next = (): Buffer => {
      regionAt = region(readBytes);
      return ring.subarray(regionAt, regionAt + readBytes);
    };
    let client: Socket | null = null;
    const upstream = connect({
      port: versionPort,
      host: '127.0.0.1',
      onread: {
        buffer: block,
        callback: (bytes, buffer) => {
          client!.write((buffer as Buffer).subarray(0, bytes));
          return true;
        },
      },
    });
    upstream.setNoDelay(true).on('error', () => {});
    upstream.on('connect', () => {
      client = new TakingSocket({
        handle,
        onread: { buffer: direct ? next : ownBuffer, callback: onRead },
      });
      client.setNoDelay(true).on('error', () => {});
      client.on('close', () => upstream.destroy());
    });
  });
}

/** Nanoseconds that this thread was on a CPU. */
function threadCpuNs(): number {
  return Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[0]);
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Microseconds of this thread's CPU for one request. */
async function measure(
  peers: Worker,
  versionPort: number,
  bodyBytes: number,
  direct: boolean,
): Promise<number> {
  const request = requestOf(bodyBytes);
  const server = forwarder(versionPort, request.length, direct);
  const port = await listen(server);
  const before = threadCpuNs();
  peers.postMessage({ port, request });
  await once(peers, 'message');
  const us = (threadCpuNs() - before) / 1000 / requestsPerRound;
  server.close();
  return us;
}

async function main(): Promise<void> {
  const peers = new Worker(new URL(import.meta.url), { workerData: 'peers' });
  const [versionPort] = (await once(peers, 'message')) as [number];
  console.log(`CPU of the forwarding thread for one request, us: median of ${rounds} rounds taken in turn\n`);
  console.log('body      copies    ring    ratio (by round)');
  for (const bodyBytes of bodySizes) {
    const pairs: { copies: number; direct: number }[] = [];
    for (let round = 0; round <= rounds; round++) {
      const copies = await measure(peers, versionPort, bodyBytes, false);
      const direct = await measure(peers, versionPort, bodyBytes, true);
      // The first round warms up.
      if (round > 0) pairs.push({ copies, direct });
    }
    const ratios = pairs.map(({ copies, direct }) => direct / copies).sort((a, b) => a - b);
    const columns = [
      median(pairs.map(({ copies }) => copies)).toFixed(2),
      median(pairs.map(({ direct }) => direct)).toFixed(2),
    ];
    console.log(
      `${String(bodyBytes).padEnd(8)} ${columns.map((text) => text.padStart(7)).join(' ')}    ` +
        `${median(ratios).toFixed(2)} (${ratios[0]!.toFixed(2)}..${ratios[ratios.length - 1]!.toFixed(2)})`,
    );
  }
  await peers.terminate();
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

/** The client and the version, on a thread of their own. */
async function peers(): Promise<void> {
  const version = createServer((socket) => {
    let left = 0;
    let bodyBytes = 0;
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      if (left === 0) {
        const length = /Content-Length: (\d+)\r\n/.exec(bytes.toString('latin1', 0, 600))?.[1];
        bodyBytes = Number(length ?? 0);
        left = bytes.indexOf('\r\n\r\n') + 4 + bodyBytes;
      }
      left -= bytes.length;
      if (left === 0) socket.write(answer);
    });
  });
  parentPort!.postMessage(await listen(version));
  parentPort!.on('message', ({ port, request }: { port: number; request: Uint8Array }) => {
    let left = requestsPerRound;
    let open = connections;
    for (let i = 0; i < connections; i++) {
      const socket = connect(port, '127.0.0.1');
      socket.setNoDelay(true);
      let read = 0;
      const ask = (): void => {
        if (left-- > 0) socket.write(request);
        else socket.destroy();
      };
      socket.on('data', (bytes) => {
        read += bytes.length;
        if (read < answer.length) return;
        read = 0;
        ask();
      });
      socket.on('close', () => {
        if (--open === 0) parentPort!.postMessage('done');
      });
      ask();
    }
  });
}

if (isMainThread) await main();
else if (workerData === 'peers') await peers();
