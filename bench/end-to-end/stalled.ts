/**
 * Scenario `stalled`: clients that ask for 1 GiB and stop reading. What umbra holds for each is what the
 * origin's kernel took, less what lies in the kernel's queues on both sides of umbra and what the clients
 * have read.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { beside, Child, nextMessage } from './child.js';
import { memoryOf } from './proc.js';
import type { StalledReport } from './stalled-origin.js';
import { fixed, tableText } from './table.js';
import { plainRoute, type RunningUmbra, startUmbra } from './targets/umbra.js';
import type { Aim, Bench, Verdict } from './verdict.js';

const clients = 40;
const heldMaxBytes = 2 ** 20;
const framings = ['length', 'chunked'] as const;
/** The flow has come to rest when nothing more was sent for so long. */
const quietMs = 1000;
const kibibyte = 1024;

interface Stall {
  readonly framing: string;
  /** Each of one client, on average. */
  readonly sentBytes: number;
  readonly queuedBytes: number;
  readonly readBytes: number;
  readonly heldBytes: number;
  readonly residentBytes: number;
}

export async function stalled({ placement }: Bench): Promise<Verdict> {
  const origin = new Child(process.execPath, [beside('stalled-origin.js', import.meta.url)], {
    cpus: placement.rest,
    ipc: true,
  });
  const stalls: Stall[] = [];
  try {
    const { port } = await nextMessage<StalledReport>(origin);
    for (const framing of framings) {
      const umbra = await startUmbra(
        { proxyThreads: 1, primaryPort: port, shadowPort: port, routes: plainRoute },
        placement.proxy,
      );
      try {
        stalls.push(await stall(framing, umbra, origin, port));
      } finally {
        await umbra.stop();
      }
    }
  } finally {
    await origin.stop();
  }
  const kib = (bytes: number): string => fixed(bytes / kibibyte, 0);
  const rows = stalls.map((one) => [
    one.framing,
    ...[one.sentBytes, one.queuedBytes, one.readBytes, one.heldBytes, one.residentBytes].map(kib),
  ]);
  console.log(
    `KiB of one client, the average of ${clients}\n\n${tableText(
      ['body', 'sent', 'in kernel queues', 'read', 'held by umbra', 'resident growth'],
      rows,
    )}`,
  );
  const aims = stalls.flatMap((one): Aim[] => [
    aim(`${one.framing}: held for a stalled client`, one.heldBytes),
    aim(`${one.framing}: resident growth by a stalled client`, one.residentBytes),
  ]);
  return { aims, measured: stalls };
}

function aim(name: string, bytes: number): Aim {
  return {
    name: `${name} <= ${heldMaxBytes / kibibyte} KiB`,
    found: `${fixed(bytes / kibibyte, 0)} KiB`,
    isMet: bytes <= heldMaxBytes,
  };
}

async function stall(
  framing: string,
  umbra: RunningUmbra,
  origin: Child,
  originPort: number,
): Promise<Stall> {
  const url = new URL(umbra.url);
  const warm = await stalledClient(url, framing);
  warm.socket.destroy();
  const sentBefore = await untilQuiet(origin);
  const residentBefore = memoryOf([umbra.pid]).residentBytes;
  const stopped = await Promise.all(Array.from({ length: clients }, () => stalledClient(url, framing)));
  const sentBytes = (await untilQuiet(origin)) - sentBefore;
  const residentBytes = memoryOf([umbra.pid]).residentBytes - residentBefore;
  const queuedBytes = queued(originPort) + queued(Number(url.port));
  const readBytes = stopped.reduce((sum, { read }) => sum + read, 0);
  for (const { socket } of stopped) socket.destroy();
  return {
    framing,
    sentBytes: sentBytes / clients,
    queuedBytes: queuedBytes / clients,
    readBytes: readBytes / clients,
    heldBytes: (sentBytes - queuedBytes - readBytes) / clients,
    residentBytes: residentBytes / clients,
  };
}

/** Reads once, then never again. */
async function stalledClient(url: URL, framing: string): Promise<{ socket: Socket; read: number }> {
  const socket = connect(Number(url.port), url.hostname);
  socket.on('error', () => {});
  socket.write(`GET /${framing} HTTP/1.1\r\nhost: ${url.host}\r\n\r\n`);
  const [first] = (await once(socket, 'data')) as [Buffer];
  socket.pause();
  // What was read ahead into the stream counts as read.
  return { socket, read: Math.max(first.length, socket.bytesRead) };
}

/** All that the origin sent, once that does not change. */
async function untilQuiet(origin: Child): Promise<number> {
  let last = -1;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, quietMs));
    const answer = nextMessage<StalledReport>(origin);
    origin.process.send('report');
    const { sentBytes } = await answer;
    if (sentBytes === last) return sentBytes;
    last = sentBytes;
  }
}

/** Bytes in the queues of all connections to or from `port`, as /proc/net/tcp reports them (proc(5)). */
function queued(port: number): number {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  let bytes = 0;
  for (const line of readFileSync('/proc/net/tcp', 'latin1').split('\n').slice(1)) {
    const [, local, remote, state, queues] = line.trim().split(/\s+/);
    if (state !== establishedState) continue;
    if (!local.endsWith(`:${hex}`) && !remote.endsWith(`:${hex}`)) continue;
    const [out, into] = queues.split(':');
    bytes += Number.parseInt(out, 16) + Number.parseInt(into, 16);
  }
  return bytes;
}

const establishedState = '01';
