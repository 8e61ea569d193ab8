/**
 * Scenario `streaming`: what it costs the proxy thread to publish every request to a stream of NATS
 * JetStream, over a plain mirror to a shadow. CPU of that thread alone, which is found before anything is
 * mirrored: it is the one that then works most.
 */
import { join } from 'node:path';

import { contest } from './compare.js';
import type { Measurement } from './comparison.js';
import { isInstalled } from './placement.js';
import { cpuOf, threadsBetween } from './proc.js';
import { ratioAim } from './ratio-aim.js';
import { type ServerProgram, startServer } from './targets/server.js';
import type { RunningTarget, Target } from './targets/target.js';
import { startUmbra } from './targets/umbra.js';
import type { Bench, Verdict } from './verdict.js';

const plain = 'mirror';
const published = 'stream';
const ratioMax = 1.03;
const subject = 'umbra.bench';
/** What the bench publishes must fit: nobody takes it. */
const streamSize = '8GiB';
const findingRequests = 2000;

export async function streaming(bench: Bench): Promise<Verdict> {
  const name = `CPU of the proxy thread, publishing <= ${ratioMax} x a plain mirror`;
  if (!isInstalled('nats-server'))
    return { aims: [{ name, found: 'nats-server is not installed', isMet: null }], measured: null };
  const { placement } = bench;
  const nats = await startServer(natsServer, { ...placement, proxy: placement.rest });
  try {
    const proxyThreads = new Map<string, number>();
    const to = `nats://${new URL(nats.url).host}/${subject}`;
    const targets = [
      target(plain, 'v2', '', proxyThreads),
      target(published, to, `, stream: { size: ${streamSize}, outstanding: 8192 }`, proxyThreads),
    ];
    const { connections } = bench.options;
    const asked = { body: 'text', bodyBytes: 0, connections, shadow: 'answering' } as const;
    const measured = await contest(bench, targets, asked);
    const of = (name: string) => measured.filter((one) => one.target === name);
    const figure = (one: Measurement): number =>
      one.threads.find(({ tid }) => tid === proxyThreads.get(one.target))?.cpuUsPerRequest ?? Number.NaN;
    const aim = ratioAim({ name, ours: of(published), rival: of(plain), max: ratioMax, figure, digits: 3 });
    return { aims: [aim], measured };
  } finally {
    await nats.stop();
  }
}

/** Its store goes with its directory. */
const natsServer: ServerProgram = {
  command: 'nats-server',
  files: (port) => ({ 'nats.conf': `listen: "127.0.0.1:${port}"\njetstream { store_dir: "store" }\n` }),
  args: (directory) => ['-c', join(directory, 'nats.conf')],
};

function target(name: string, to: string, settings: string, proxyThreads: Map<string, number>): Target {
  const routes = `  - { name: all, primary: v1, mirrors: [ { to: "${to}", enabled: false${settings} } ] }`;
  return {
    name,
    mirrors: true,
    // What is published reaches no shadow here; what was not published is printed below the table.
    ...(name === published ? { copiesMin: 0 } : {}),
    missing: () => null,
    start: async ({ primary, shadow }, placement): Promise<RunningTarget> => {
      const ports = { primaryPort: primary.port, shadowPort: shadow.port };
      const umbra = await startUmbra({ proxyThreads: 1, engine: 'uws', routes, ...ports }, placement.proxy);
      proxyThreads.set(name, await busiestThread(umbra.pid, umbra.url));
      await enable(umbra.admin, to);
      const dropped = async (): Promise<string | null> => {
        const { mirrors } = (await (await fetch(`${umbra.admin}/api/stats`)).json()) as Stats;
        const [{ eligible, completed }] = mirrors;
        return `${completed} of ${eligible} copies completed`;
      };
      return { url: umbra.url, pids: () => [umbra.pid], dropped, stop: umbra.stop };
    },
  };
}

interface Stats {
  readonly mirrors: readonly { readonly eligible: number; readonly completed: number }[];
}

/** While nothing is mirrored, that is the proxy thread. */
async function busiestThread(pid: number, url: string): Promise<number> {
  const before = cpuOf([pid]);
  for (let i = 0; i < findingRequests; i++) await (await fetch(url)).arrayBuffer();
  const threads = threadsBetween(before, cpuOf([pid]));
  return threads.reduce((most, one) => (one.cpuUs > most.cpuUs ? one : most)).tid;
}

async function enable(admin: string, to: string): Promise<void> {
  const answer = await fetch(`${admin}/api/routes/all/mirrors/${encodeURIComponent(to)}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ enabled: true }),
  });
  if (!answer.ok) throw new Error(`the mirror can't be switched on: ${await answer.text()}`);
}
