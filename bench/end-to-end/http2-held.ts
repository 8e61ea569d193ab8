/**
 * What HTTP/2 holds: the memory of a proxy for idle connections and for open streams, and the bytes of a
 * header block that repeats.
 */
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { BareHttp2 } from './bare-http2.js';
import { h2load } from './h2load.js';
import type { Placement } from './placement.js';
import { memoryOf } from './proc.js';
import { type Http2Proxy, startOrigin } from './targets/http2-proxies.js';
import type { RunningTarget } from './targets/target.js';
import type { Aim } from './verdict.js';

const idleConnections = 2000;
const streams = 10_000;
const streamsOfConnection = 100;
const kibibyte = 1024;
/** The collector settles what a burst has left. */
const settleMs = 2000;
/** The header tables of both sides are filled by then. */
const repetitions = 20;
/** Connections that are opened at a time. */
const atOnce = 50;
const warmUp = { requests: 30_000, connections: 10, streams: 32, bodyBytes: 0 };

export interface Held {
  readonly target: string;
  readonly connectionBytes: number;
  /** Null: it opens a connection to the origin for each, which is measured by then. */
  readonly streamBytes: number | null;
  readonly headerBytes: number;
}

/** Measures one proxy before origins of HTTP/2. */
export async function http2Held(proxy: Http2Proxy, placement: Placement): Promise<Held> {
  const origin = await startOrigin('http2', placement);
  const silent = await startSilent();
  const start = (originPort: number) =>
    proxy.start({ originPort, origin: 'http2', isMirrored: false }, placement);
  try {
    const before = await start(Number(new URL(origin.url).port));
    let connectionBytes: number;
    let headerBytes: number;
    try {
      headerBytes = await repeating(before.url);
      connectionBytes = await idle(before, placement);
    } finally {
      await before.stop();
    }
    let streamBytes: number | null = null;
    if (proxy.name !== 'nginx') {
      const behind = await start(silent.port);
      try {
        streamBytes = await openStreams(behind, placement);
      } finally {
        await behind.stop();
      }
    }
    return { target: proxy.name, connectionBytes, streamBytes, headerBytes };
  } finally {
    silent.close();
    await origin.stop();
  }
}

export function heldText({ target, connectionBytes, streamBytes, headerBytes }: Held): string {
  const stream = streamBytes === null ? 'not measured' : `${inKib(streamBytes)} KiB`;
  const head = `${headerBytes} header bytes of a repeating response`;
  return `${target.padEnd(6)} ${inKib(connectionBytes)} KiB an idle connection, ${stream} an open stream, ${head}`;
}

export function heldAims(all: readonly Held[]): Aim[] {
  const ours = all.find(({ target }) => target === 'umbra')!;
  const beside = (figure: (one: Held) => string): string =>
    all.map((one) => `${one.target} ${figure(one)}`).join(', ');
  const stream = ours.streamBytes ?? Number.NaN;
  return [
    {
      name: `each of ${idleConnections} idle connections <= 16 KiB of resident memory`,
      found: beside(({ connectionBytes }) => inKib(connectionBytes)),
      isMet: ours.connectionBytes <= 16 * kibibyte,
    },
    {
      name: `each of ${streams} open streams <= 1 KiB of resident memory`,
      found: beside(({ streamBytes }) => (streamBytes === null ? '-' : inKib(streamBytes))),
      isMet: stream <= kibibyte,
    },
    {
      name: 'header bytes of a repeating response <= 20',
      found: beside(({ headerBytes }) => String(headerBytes)),
      isMet: ours.headerBytes <= 20,
    },
  ];
}

async function repeating(url: string): Promise<number> {
  const client = new BareHttp2(url);
  for (let i = 0; i < repetitions; i++) await client.ask();
  client.close();
  return client.headerBytes;
}

async function idle(target: RunningTarget, { rest }: Placement): Promise<number> {
  await h2load(target.url, warmUp, rest);
  const clients: BareHttp2[] = [];
  const bytes = await growth(target, async () => {
    while (clients.length < idleConnections) {
      const opened = Array.from({ length: atOnce }, () => new BareHttp2(target.url));
      clients.push(...opened);
      await Promise.all(opened.map((client) => client.ask()));
    }
  });
  for (const client of clients) client.close();
  return bytes / idleConnections;
}

async function openStreams(target: RunningTarget, { rest }: Placement): Promise<number> {
  await h2load(`${target.url}answered`, warmUp, rest);
  const clients: BareHttp2[] = [];
  const bytes = await growth(target, async () => {
    while (clients.length < streams / streamsOfConnection) {
      const client = new BareHttp2(target.url);
      clients.push(client);
      for (let i = 0; i < streamsOfConnection; i++) client.open();
      await client.ping();
    }
  });
  for (const client of clients) client.close();
  return bytes / streams;
}

/** Resolves with how much resident memory grows by `work`. */
async function growth(target: RunningTarget, work: () => Promise<void>): Promise<number> {
  await passed(settleMs);
  const before = memoryOf(target.pids()).residentBytes;
  await work();
  await passed(settleMs);
  return memoryOf(target.pids()).residentBytes - before;
}

/** An origin that answers `/answered` alone. */
async function startSilent(): Promise<{ readonly port: number; close(): void }> {
  const server = createServer({ settings: { maxConcurrentStreams: streams } });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    if (headers[':path'] !== '/answered') return;
    stream.respond({ ':status': 200 });
    stream.end();
  });
  server.on('session', (session) => session.on('error', () => {}));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

function inKib(bytes: number): string {
  return (bytes / kibibyte).toFixed(1);
}

function passed(time: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, time));
}
