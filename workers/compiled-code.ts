/**
 * The last part of the build: umbra runs once, and each of its threads writes the code that V8 compiled for
 * it (`protocol/compiled-start`, docs/decisions/097). An umbra that finds none, or that of another Node,
 * compiles as it starts, so a build where none can be written is no failure.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageFile } from '../config/package-file.js';

/** Enough that what handles a request is compiled, for a copy and a recording too. */
const requests = 20;
const patienceMs = 20_000;

/** `writeCompiledCode` writes the compiled code of the bundle in `directory`, or a line that says why not. */
export async function writeCompiledCode(directory: string): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'umbra-build-'));
  const origin = createServer((incoming, outgoing) => {
    incoming.resume().on('end', () => outgoing.end('{"stars":5}'));
  });
  try {
    origin.listen(0, '127.0.0.1');
    await once(origin, 'listening');
    await runOnce(work, (origin.address() as AddressInfo).port);
    if (!readdirSync(directory).some((name) => name.includes(process.version)))
      throw new Error('its threads wrote none');
  } catch (error) {
    process.stderr.write(`build: no compiled code is kept, so umbra starts slower: ${error}\n`);
  } finally {
    origin.close();
    rmSync(work, { recursive: true });
  }
}

async function runOnce(work: string, port: number): Promise<void> {
  const file = join(work, 'umbra.yaml');
  const config = {
    listen: [{ address: '127.0.0.1:0', engine: 'node' }],
    admin: { address: '127.0.0.1:0' },
    threads: { proxy: 1, shadow: 1 },
    versions: { v1: `http://127.0.0.1:${port}`, v2: `http://127.0.0.1:${port}` },
    routes: [{ primary: 'v1', mirrors: [{ to: 'v2' }, { to: `file:${join(work, 'recording')}` }] }],
  };
  writeFileSync(file, JSON.stringify(config));
  const { NODE_OPTIONS: _unwanted, ...env } = process.env;
  const umbra = spawn(process.execPath, [fileURLToPath(packageFile('bin/umbra.js')), 'run', '-c', file], {
    env: { ...env, UMBRA_WRITE_COMPILED_CODE: '1' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const timer = setTimeout(() => umbra.kill('SIGKILL'), patienceMs);
  const ended = once(umbra, 'exit');
  try {
    const first = await Promise.race([once(umbra.stdout, 'data'), ended.then(() => null)]);
    const url = /listen=(\S+)/.exec(String(first?.[0]))?.[1];
    if (url === undefined) throw new Error('umbra did not start');
    for (let i = 0; i < requests; i++) await ask(`${url}/${i}`, i % 2 === 0 ? null : '{"a":1}');
    umbra.kill('SIGTERM');
    await ended;
  } finally {
    clearTimeout(timer);
    umbra.kill('SIGKILL');
  }
}

function ask(url: string, body: string | null): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method: body === null ? 'GET' : 'POST' }, (incoming) => {
      incoming.resume().on('end', resolve);
    });
    outgoing.on('error', reject);
    outgoing.end(body ?? undefined);
  });
}
