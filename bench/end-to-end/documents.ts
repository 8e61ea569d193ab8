/**
 * `node dist/bench/end-to-end/documents.js [--services 1000] [--hosts 100] [--rounds 3] [--engine auto]`: how
 * long `umbra apply` takes for so many VirtualServices, each with a mirror, and what a client on a kept
 * connection feels meanwhile, beside what it feels while nothing happens. Aims: under 2 s, and no request
 * later than 5 ms more than the latest of an idle umbra.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { toolOptions } from '../../test/support/tool-options.js';

const { values } = toolOptions('node dist/bench/end-to-end/documents.js', {
  services: { type: 'string', default: '1000' },
  hosts: { type: 'string', default: '100' },
  rounds: { type: 'string', default: '3' },
  engine: { type: 'string', default: 'auto' },
});
const services = Number(values.services);
const hosts = Number(values.hosts);
const aimMs = 2000;
const pauseAimMs = 5;
const binary = fileURLToPath(new URL('../../../bin/umbra.js', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'umbra-documents-'));

async function origin(): Promise<number> {
  const server = createServer({ keepAliveTimeout: 0 }, (_request, response) => response.end('ok\n'));
  server.listen(0, '127.0.0.1');
  server.unref();
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function documents(percent: number): string {
  const all = Array.from({ length: services }, (_, index) => ({
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: `service-${index}` },
    spec: {
      hosts: [`service-${index}.example.com`],
      http: [
        {
          route: [{ destination: { host: `host-${index % hosts}`, subset: 'v1' } }],
          mirror: { host: `host-${index % hosts}`, subset: 'v2' },
          mirrorPercentage: { value: percent },
        },
      ],
    },
  }));
  const file = join(directory, `${percent}.yaml`);
  writeFileSync(file, all.map((document) => stringify(document)).join('---\n'));
  return file;
}

/** Works for about as long as an apply does. */
const spin =
  'const end = performance.now() + 1500; while (performance.now() < end) JSON.parse(JSON.stringify({ a: [1, 2, 3] }));';

const [v1, v2] = [await origin(), await origin()];
const file = join(directory, 'umbra.yaml');
const subset = { v1: `http://127.0.0.1:${v1}`, v2: `http://127.0.0.1:${v2}` };
writeFileSync(
  file,
  JSON.stringify({
    listen: [{ address: '127.0.0.1:0', engine: values.engine }],
    admin: { address: '127.0.0.1:0' },
    threads: { proxy: 1, shadow: 1 },
    documents: { state: 'state' },
    subsets: Object.fromEntries(Array.from({ length: hosts }, (_, index) => [`host-${index}`, subset])),
    versions: { plain: subset.v1 },
    routes: [{ name: 'plain', primary: 'plain' }],
  }),
);

const umbra = spawn(process.execPath, [binary, 'run', '-c', file], { stdio: ['ignore', 'pipe', 'ignore'] });
process.on('exit', () => {
  umbra.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});
let out = '';
let ready: RegExpExecArray | null = null;
for await (const text of umbra.stdout.setEncoding('utf8')) {
  out += text;
  ready = /^umbra ready listen=(\S+) admin=(\S+)/m.exec(out);
  if (ready !== null) break;
}
const [, url, admin] = ready!;

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

function ask(): Promise<number> {
  const sentMs = performance.now();
  return new Promise((resolve, reject) => {
    const call = request(url, { agent, headers: { host: 'plain.example.com' } }, (response) => {
      response.resume();
      response.on('end', () => resolve(performance.now() - sentMs));
    });
    call.on('error', reject);
    call.end();
  });
}

interface Felt {
  readonly tookMs: number;
  readonly latencies: readonly number[];
}

/** Between two requests: a client that takes a whole CPU would measure itself. */
const paceMs = 1;

/** One request after the other while `work` continues. */
async function during(work: () => Promise<unknown>): Promise<Felt> {
  const latencies: number[] = [];
  const began = performance.now();
  let tookMs = 0;
  const working = work().then(() => {
    tookMs = performance.now() - began;
  });
  while (tookMs === 0) {
    latencies.push(await ask());
    await new Promise((resolve) => setTimeout(resolve, paceMs));
  }
  await working;
  return { tookMs, latencies: latencies.sort((a, b) => a - b) };
}

async function apply(path: string): Promise<void> {
  const child = spawn(process.execPath, [binary, 'apply', '-f', path, '--admin', admin], { stdio: 'ignore' });
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`umbra apply ended with ${code}`);
}

function told(name: string, { tookMs, latencies }: Felt): string {
  const at = (share: number): string => latencies[Math.floor((latencies.length - 1) * share)].toFixed(2);
  return `${name.padEnd(34)} ${tookMs.toFixed(0).padStart(6)} ms   client p50 ${at(0.5)}, p99 ${at(0.99)}, latest ${at(1)} ms of ${latencies.length}\n`;
}

await during(() => new Promise((resolve) => setTimeout(resolve, 1000)));
const files = [documents(100), documents(50)];
const slowest: number[] = [];
const lateness: number[] = [];
for (let round = 0; round < Number(values.rounds); round++) {
  const idle = await during(() => new Promise((resolve) => setTimeout(resolve, 2000)));
  // A process of the same size that has nothing to do with umbra takes the same turns of the CPU.
  const other = await during(() => once(spawn(process.execPath, ['-e', spin], { stdio: 'ignore' }), 'close'));
  const applied = await during(() => apply(files[round % 2]));
  process.stdout.write(told('idle', idle) + told('beside another busy process', other));
  process.stdout.write(told(`umbra apply, ${services} VirtualServices`, applied));
  slowest.push(applied.tookMs);
  lateness.push(applied.latencies.at(-1)! - Math.max(idle.latencies.at(-1)!, other.latencies.at(-1)!));
}
const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const verdict = (met: boolean): string => (met ? 'met' : 'MISSED');
const took = median(slowest);
const late = median(lateness);
process.stdout.write(
  `\nmedian: applied in ${took.toFixed(0)} ms (aim ${aimMs}): ${verdict(took < aimMs)}\n` +
    `median: the latest request is ${late.toFixed(1)} ms later than beside another process (aim ${pauseAimMs}): ${verdict(late <= pauseAimMs)}\n`,
);
agent.destroy();
umbra.kill('SIGTERM');
await once(umbra, 'exit');
process.exitCode = took < aimMs && late <= pauseAimMs ? 0 : 1;
