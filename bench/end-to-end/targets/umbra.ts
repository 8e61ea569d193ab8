/** umbra as a user starts it: the command, a file, and the line that says that it serves. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beside, Child } from '../child.js';
import { type Certificate, certificate } from './certificate.js';
import { missingFor } from './missing.js';
import type { Target } from './target.js';

export interface RunningUmbra {
  readonly url: string;
  readonly admin: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface UmbraConfig {
  readonly proxyThreads: number;
  /** `auto` unless it is set. */
  readonly engine?: 'auto' | 'uws' | 'node';
  readonly primaryPort: number;
  readonly shadowPort: number;
  /** Not set: there is no `v3`. */
  readonly otherPort?: number;
  /** The YAML of the routes; versions are `v1`, `v2` and `v3`, in the order of the ports. */
  readonly routes: string;
  /** `threads.ring`. */
  readonly ring?: string;
  /** `threads.nice`; 0 unless it is set. */
  readonly nice?: number;
  /** `listen[].protocols`, where they are not those by default. */
  readonly protocols?: string;
  /** `versions.X.protocol` of both, where it is not the default. */
  readonly protocol?: string;
  /** Listens with TLS. */
  readonly certificate?: Certificate;
}

/** `threads.nice` for machines where threads share a core (decision 039), as all of umbra does here. */
export const sharedCoreNice = 5;

export const mirroredRoute = mirrorRoute(100);
export const plainRoute = '  - { name: all, primary: v1 }';

const thisCommand = beside('../../../../bin/umbra.js', import.meta.url);
/**
 * The same from the modules that the bundle is made of, for profiles: they say which room a function is of.
 */
export const modulesCommand = beside('../../../workers/main/umbra.js', import.meta.url);
const readyLine = /^umbra ready listen=(\S+) admin=(\S+) pid=(\d+)$/;
const readyTimeoutMs = 15_000;
export const defaultRing = '4MiB';

export const umbra = umbraTarget('umbra', plainRoute, 'uws');
export const umbraMirror = umbraTarget('umbra-mirror', mirroredRoute, 'uws');
export const umbraNode = umbraTarget('umbra-node', plainRoute, 'node');
export const umbraNodeMirror = umbraTarget('umbra-node-mirror', mirroredRoute, 'node');

export async function startUmbra(
  config: UmbraConfig,
  cpus: string | null,
  command = thisCommand,
  nodeFlags: readonly string[] = [],
): Promise<RunningUmbra> {
  const directory = await mkdtemp(join(tmpdir(), 'umbra-bench-'));
  const file = join(directory, 'umbra.yaml');
  await writeFile(file, yaml(config));
  const child = new Child(process.execPath, [...nodeFlags, command, 'run', '-c', file], { cpus });
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

export interface UmbraTargetOptions {
  /** The `bin/umbra.js` to run; not set: this tree's. */
  readonly command?: string;
  /** It listens with TLS. */
  readonly tls?: boolean;
  /** `threads.ring`; not set: the default. */
  readonly ring?: string;
}

/** Two routes: `/off`, which is not mirrored, beside everything else, which is. */
export const onAndOffRoutes = `  - { name: off, match: { path: { exact: /off } }, primary: v1 }
  - { name: on, primary: v1, mirrors: [ { to: v2, percent: 100 } ] }`;

/** `routes` is the YAML of one route. */
export function umbraTarget(
  name: string,
  routes: string,
  engine: 'uws' | 'node',
  { command = thisCommand, tls = false, ring = defaultRing }: UmbraTargetOptions = {},
): Target {
  return {
    name,
    mirrors: routes !== plainRoute,
    missing: () => missingFor(null, { tls }),
    start: async ({ primary, shadow }, placement) => {
      const [primaryPort, shadowPort] = [primary.port, shadow.port];
      const secured = tls ? { certificate: certificate()! } : {};
      const config = { proxyThreads: 1, engine, primaryPort, shadowPort, routes, ring, ...secured };
      const running = await startUmbra(config, placement.proxy, command);
      const dropped = (): Promise<string | null> => droppedText(running.admin);
      return { url: running.url, pids: () => [running.pid], dropped, stop: running.stop };
    },
  };
}

/** What umbra counted of copies that were not made or failed; null for nothing. */
export async function droppedText(admin: string): Promise<string | null> {
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

function yaml({
  proxyThreads,
  engine = 'auto',
  primaryPort,
  shadowPort,
  otherPort,
  routes,
  ring = defaultRing,
  nice = 0,
  protocols,
  protocol,
  certificate,
}: UmbraConfig): string {
  const tls =
    certificate === undefined ? '' : `, tls: { cert: ${certificate.certPath}, key: ${certificate.keyPath} }`;
  // Other revisions may not know these keys.
  const speaks = protocol === undefined ? '' : `, protocol: ${protocol}`;
  const spoken = protocols === undefined ? '' : `, protocols: ${protocols}`;
  const other = otherPort === undefined ? '' : `  v3: { endpoints: [ "http://127.0.0.1:${otherPort}" ] }\n`;
  return `listen: [ { address: "127.0.0.1:0", engine: ${engine}${tls}${spoken} } ]
admin: { address: "127.0.0.1:0" }
threads: { proxy: ${proxyThreads}, shadow: 1, ring: ${ring}, nice: ${nice} }
versions:
  v1: { endpoints: [ "http://127.0.0.1:${primaryPort}" ]${speaks} }
  v2: { endpoints: [ "http://127.0.0.1:${shadowPort}" ]${speaks} }
${other}routes:
${routes}
`;
}

/** The YAML of one route that mirrors so much of everything. */
export function mirrorRoute(percent: number): string {
  return `  - { name: all, primary: v1, mirrors: [ { to: v2, percent: ${percent} } ] }`;
}
