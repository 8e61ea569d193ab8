/**
 * `node dist/bench/end-to-end/takeover.js [--takeovers 20] [--fresh 4] [--kept 16]`: how many requests fail
 * while one umbra after the other takes over a port. Kept connections send request after request; fresh ones
 * are opened for one request each, which is where a closing listener can lose some. Prints counts, and what
 * failed by its cause.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toolOptions } from '../../test/support/tool-options.js';

const { values } = toolOptions('node dist/bench/end-to-end/takeover.js', {
  takeovers: { type: 'string', default: '20' },
  kept: { type: 'string', default: '16' },
  fresh: { type: 'string', default: '4' },
  engine: { type: 'string', default: 'auto' },
});
const binary = fileURLToPath(new URL('../../../bin/umbra.js', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'umbra-takeover-'));
const file = join(directory, 'umbra.yaml');
const pidFile = join(directory, 'pid');

interface Running {
  readonly listen: string;
  readonly ended: Promise<unknown>;
  stop(): void;
}

async function start(): Promise<Running> {
  const child = spawn(process.execPath, [binary, 'run', '-c', file, '--takeover', pidFile], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  let out = '';
  for await (const text of child.stdout.setEncoding('utf8')) {
    out += text;
    const ready = /^umbra ready listen=(\S+)/m.exec(out);
    if (ready !== null) return { listen: ready[1]!, ended, stop: () => void child.kill('SIGTERM') };
  }
  throw new Error(`umbra did not start: ${out}`);
}

function write(originPort: number, address: string): void {
  const config = {
    listen: [{ address, engine: values.engine }],
    admin: 'off',
    threads: { proxy: 2, shadow: 1 },
    versions: { v1: `http://127.0.0.1:${originPort}` },
    routes: [{ primary: 'v1' }],
  };
  writeFileSync(file, JSON.stringify(config));
}

const origin = createServer({ keepAliveTimeout: 0 }, (_request, response) => response.end('ok\n'));
origin.listen(0, '127.0.0.1');
await once(origin, 'listening');
const originPort = (origin.address() as AddressInfo).port;
write(originPort, '127.0.0.1:0');
let running = await start();
const port = Number(new URL(running.listen).port);
write(originPort, `127.0.0.1:${port}`);

const failures = new Map<string, number>();
const done = { kept: 0, fresh: 0 };
let over = false;

function ask(agent: Agent | false): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, agent }, (response) => {
      response.resume();
      response.on('error', reject);
      response.on('end', () =>
        response.statusCode === 200 ? resolve() : reject(new Error(`${response.statusCode}`)),
      );
    });
    call.on('error', reject);
    call.end();
  });
}

async function client(kind: 'kept' | 'fresh', agent: Agent | false): Promise<void> {
  while (!over) {
    try {
      await ask(agent);
    } catch (error) {
      const cause = `${kind}: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`;
      failures.set(cause, (failures.get(cause) ?? 0) + 1);
    }
    done[kind]++;
  }
}

const agents = Array.from(
  { length: Number(values.kept) },
  () => new Agent({ keepAlive: true, maxSockets: 1 }),
);
const clients = [
  ...agents.map((agent) => client('kept', agent)),
  ...Array.from({ length: Number(values.fresh) }, () => client('fresh', false)),
];
const beganMs = performance.now();
for (let i = 0; i < Number(values.takeovers); i++) {
  const before = running;
  running = await start();
  await before.ended;
}
const seconds = ((performance.now() - beganMs) / 1000).toFixed(1);
over = true;
await Promise.all(clients);
for (const agent of agents) agent.destroy();
running.stop();
await running.ended;
origin.closeAllConnections();
origin.close();
rmSync(directory, { recursive: true, force: true });
const failed = [...failures.values()].reduce((sum, count) => sum + count, 0);
process.stdout.write(
  `${values.takeovers} takeovers in ${seconds} s: ${done.kept} requests on kept connections, ${done.fresh} on fresh ones, ${failed} failed\n`,
);
for (const [cause, count] of failures) process.stdout.write(`  ${cause}: ${count}\n`);
