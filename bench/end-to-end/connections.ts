/**
 * Scenario `connections`: what thousands of idle kept connections cost, and what a new client feels beside
 * them.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { beside, Child, nextMessage } from './child.js';
import { median } from './numbers.js';
import { startOrigins } from './origins.js';
import type { Placement } from './placement.js';
import { memoryOf } from './proc.js';
import { count, fixed, mebibytes, ms, tableText } from './table.js';
import { plainRoute, type RunningUmbra, startUmbra } from './targets/umbra.js';
import type { Aim, Bench, Verdict } from './verdict.js';

const idleConnections = 5000;
const clientProcesses = 4;
const kibibyte = 1024;
const bytesMax = 12 * kibibyte;
const warmUpRequests = 2000;
const freshRequests = 500;
/** The collector settles what a burst has left. */
const settleMs = 2000;

export async function connections({ placement }: Bench): Promise<Verdict> {
  const origins = await startOrigins(placement.rest);
  try {
    const ports = { primaryPort: origins.primary.port, shadowPort: origins.shadow.port };
    const umbra = await startUmbra({ proxyThreads: 2, routes: plainRoute, ...ports }, placement.proxy);
    try {
      return await besideIdle(umbra, placement);
    } finally {
      await umbra.stop();
    }
  } finally {
    await Promise.all([origins.primary.stop(), origins.shadow.stop()]);
  }
}

async function besideIdle(umbra: RunningUmbra, placement: Placement): Promise<Verdict> {
  await fresh(umbra.url, warmUpRequests);
  const p50BeforeUs = median(await fresh(umbra.url, freshRequests));
  await passed(settleMs);
  const beforeBytes = memoryOf([umbra.pid]).residentBytes;
  const clients = Array.from({ length: clientProcesses }, () => startClients(umbra.url, placement));
  try {
    let isOpen = false;
    const opened = Promise.all(clients.map((client) => nextMessage(client))).finally(() => {
      isOpen = true;
    });
    const meanwhile: number[] = [];
    while (!isOpen) meanwhile.push(...(await fresh(umbra.url, 1)));
    await opened;
    await passed(settleMs);
    const afterBytes = memoryOf([umbra.pid]).residentBytes;
    const p50BesideUs = median(await fresh(umbra.url, freshRequests));
    const rows = [
      ['before', ms(p50BeforeUs)],
      ['while they are opened', ms(median(meanwhile))],
      ['beside them', ms(p50BesideUs)],
    ];
    console.log(tableText(['a request on a new connection', 'p50 ms'], rows));
    const lost = clients.filter((client) => !client.isRunning).length;
    return {
      aims: [memoryAim(afterBytes - beforeBytes), servedAim(lost, meanwhile.length)],
      measured: { beforeBytes, afterBytes, p50BeforeUs, p50BesideUs, meanwhile },
    };
  } finally {
    await Promise.all(clients.map((client) => client.stop()));
  }
}

function memoryAim(growthBytes: number): Aim {
  const bytesEach = growthBytes / idleConnections;
  return {
    name: `each of ${count(idleConnections)} idle connections < ${bytesMax / kibibyte} KiB of resident memory`,
    found: `${fixed(bytesEach / kibibyte, 1)} KiB, ${mebibytes(growthBytes)} MiB in all`,
    isMet: bytesEach < bytesMax,
  };
}

function servedAim(lost: number, served: number): Aim {
  return {
    name: 'no idle connection was lost, and new clients were served meanwhile',
    found: lost === 0 ? `${served} were served while they were opened` : `${lost} client processes lost one`,
    isMet: lost === 0 && served > 0,
  };
}

function startClients(url: string, { rest }: Placement): Child {
  const args = [beside('idle-clients.js', import.meta.url), url, String(idleConnections / clientProcesses)];
  return new Child(process.execPath, args, { cpus: rest, ipc: true });
}

/** Times in microseconds of `requests` requests, one after the other, each on a connection of its own. */
async function fresh(urlText: string, requests: number): Promise<number[]> {
  const url = new URL(urlText);
  const times: number[] = [];
  for (let i = 0; i < requests; i++) {
    const beganMs = performance.now();
    const socket = connect(Number(url.port), url.hostname);
    socket.write(`GET / HTTP/1.1\r\nhost: ${url.host}\r\n\r\n`);
    await once(socket, 'data');
    times.push((performance.now() - beganMs) * 1000);
    socket.destroy();
  }
  return times;
}

function passed(time: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, time));
}
