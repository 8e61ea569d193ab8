/** A peer that is a program with a configuration file: where it listens, and when it serves. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from '../child.js';
import type { Placement } from '../placement.js';
import { childrenOf } from '../proc.js';
import type { RunningTarget } from './target.js';

const readyTimeoutMs = 10_000;
const readyPollMs = 20;

export interface ServerProgram {
  readonly command: string;
  /** By name, in a directory of their own, which is where the program runs. */
  files(port: number): Readonly<Record<string, string | Buffer>>;
  /** `directory` holds the files. */
  args(directory: string): readonly string[];
  readonly secure?: boolean;
  /** Measured are its children, as with a master process that only watches. */
  readonly forks?: boolean;
}

export async function startServer(program: ServerProgram, { proxy }: Placement): Promise<RunningTarget> {
  const directory = await mkdtemp(join(tmpdir(), `umbra-bench-${program.command}-`));
  const port = await freePort();
  for (const [name, text] of Object.entries(program.files(port)))
    await writeFile(join(directory, name), text);
  const child = new Child(program.command, program.args(directory), { cpus: proxy, cwd: directory });
  const stop = async (): Promise<void> => {
    await child.stop();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await untilAccepting(program.command, child, port);
  } catch (error) {
    await stop();
    throw error;
  }
  const pids = [child.pid, ...(program.forks === true ? await workersOf(child.pid) : [])];
  const scheme = program.secure === true ? 'https' : 'http';
  return { url: `${scheme}://127.0.0.1:${port}/`, pids: () => pids, stop };
}

/** These programs know no port 0. The port that the kernel just gave out is not given out again soon. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

async function untilAccepting(name: string, child: Child, port: number): Promise<void> {
  const endMs = Date.now() + readyTimeoutMs;
  while (Date.now() < endMs) {
    if (!child.isRunning) throw new Error(`${name} ended: ${child.stderr.trim()}`);
    if (await accepts(port)) return;
    await new Promise((resolve) => setTimeout(resolve, readyPollMs));
  }
  throw new Error(`${name} is not ready after ${readyTimeoutMs} ms: ${child.stderr.trim()}`);
}

/** A master listens before it has forked, and connections wait until then. */
async function workersOf(pid: number): Promise<number[]> {
  for (const endMs = Date.now() + readyTimeoutMs; Date.now() < endMs; ) {
    const workers = childrenOf(pid);
    if (workers.length > 0) return workers;
    await new Promise((resolve) => setTimeout(resolve, readyPollMs));
  }
  throw new Error(`process ${pid} has no workers after ${readyTimeoutMs} ms`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const settle = (isOpen: boolean): void => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}
