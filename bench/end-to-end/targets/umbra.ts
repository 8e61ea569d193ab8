/** umbra as a user starts it: the command, a file, and the line that says that it serves. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beside, Child } from '../child.js';
import type { Target } from './target.js';

export interface RunningUmbra {
  readonly url: string;
  readonly admin: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface UmbraConfig {
  readonly proxyThreads: number;
  /** `auto` unless it is said. */
  readonly engine?: 'auto' | 'uws' | 'node';
  readonly primaryPort: number;
  readonly shadowPort: number;
  /** The YAML of the routes; versions are `v1` and `v2`. */
  readonly routes: string;
}

export const mirroredRoute = '  - { name: all, primary: v1, mirrors: [ { to: v2, percent: 100 } ] }';
export const plainRoute = '  - { name: all, primary: v1 }';

const thisCommand = beside('../../../../bin/umbra.js', import.meta.url);
const readyLine = /^umbra ready listen=(\S+) admin=(\S+) pid=(\d+)$/;
const readyTimeoutMs = 15_000;

export const umbra = umbraTarget('umbra', plainRoute, 'uws');
export const umbraMirror = umbraTarget('umbra-mirror', mirroredRoute, 'uws');
export const umbraNode = umbraTarget('umbra-node', plainRoute, 'node');
export const umbraNodeMirror = umbraTarget('umbra-node-mirror', mirroredRoute, 'node');

/** `command`: the `bin/umbra.js` to run. */
export async function startUmbra(
  config: UmbraConfig,
  cpus: string | null,
  command = thisCommand,
): Promise<RunningUmbra> {
  const directory = await mkdtemp(join(tmpdir(), 'umbra-bench-'));
  const file = join(directory, 'umbra.yaml');
  await writeFile(file, yaml(config));
  const child = new Child(process.execPath, [command, 'run', '-c', file], { cpus });
  const stop = async (): Promise<void> => {
    await child.stop();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const [, url, admin, pid] = await child.line(readyLine, readyTimeoutMs);
    return { url: `${url}/`, admin, pid: Number(pid), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** `routes` is the YAML of one route. */
export function umbraTarget(name: string, routes: string, engine: 'uws' | 'node', command?: string): Target {
  return {
    name,
    mirrors: routes !== plainRoute,
    missing: () => null,
    start: async ({ primary, shadow }, placement) => {
      const [primaryPort, shadowPort] = [primary.port, shadow.port];
      const config = { proxyThreads: 1, engine, primaryPort, shadowPort, routes };
      const running = await startUmbra(config, placement.proxy, command);
      const dropped = (): Promise<string | null> => droppedText(running.admin);
      return { url: running.url, pids: () => [running.pid], dropped, stop: running.stop };
    },
  };
}

async function droppedText(admin: string): Promise<string | null> {
  const { mirrors } = (await (await fetch(`${admin}/api/stats`)).json()) as {
    mirrors: { dropped: Record<string, number>; failed: Record<string, number> }[];
  };
  const words = mirrors.flatMap(({ dropped, failed }) => [
    ...named('dropped', dropped),
    ...named('failed', failed),
  ]);
  return words.join(', ') || null;
}

function named(what: string, counts: Record<string, number>): string[] {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => `${count} ${what} (${reason})`);
}

function yaml({ proxyThreads, engine = 'auto', primaryPort, shadowPort, routes }: UmbraConfig): string {
  return `listen: [ { address: "127.0.0.1:0", engine: ${engine} } ]
admin: { address: "127.0.0.1:0" }
threads: { proxy: ${proxyThreads}, shadow: 1 }
versions:
  v1: { endpoints: [ "http://127.0.0.1:${primaryPort}" ] }
  v2: { endpoints: [ "http://127.0.0.1:${shadowPort}" ] }
routes:
${routes}
`;
}
