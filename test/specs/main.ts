/**
 * `npm run specs`: the suites that others wrote, against a whole umbra. Each runs where its programs are
 * installed, is named as left out elsewhere, and prints how many of its cases pass.
 *
 * - h2spec (PATH): clients of HTTP/2 that break rules, before versions of HTTP/1.1 and of HTTP/2.
 * - h2specd (PATH): versions of HTTP/2 that break rules.
 * - gRPC interop of Go, mirrored: `UMBRA_GRPC_INTEROP` names the directory of its `client` and `server`.
 *
 * Exit code 1 when a case fails.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reviews, UmbraProcess } from '../support/umbra.js';

/** Cases that passed, of how many. */
interface Count {
  readonly passed: number;
  readonly all: number;
}

const listen = [{ address: '127.0.0.1:0', engine: 'node', protocols: 'h2' }];

/** Long enough for the cases about windows, which h2spec skips otherwise. */
const answer = '.'.repeat(295);
const specdPort = 30_000;
const specdCases = 57;
const totalLine = /^(\d+) tests, (\d+) passed, \d+ skipped, \d+ failed$/m;

/** The interop cases of gRPC (doc/interop-test-descriptions.md of grpc/grpc) without TLS and tokens. */
const interopCases = [
  'empty_unary',
  'large_unary',
  'client_streaming',
  'server_streaming',
  'ping_pong',
  'empty_stream',
  'timeout_on_sleeping_server',
  'cancel_after_begin',
  'cancel_after_first_response',
  'status_code_and_message',
  'special_status_message',
  'custom_metadata',
  'unimplemented_method',
  'unimplemented_service',
];

async function main(): Promise<void> {
  let failed = 0;
  const say = (name: string, { passed, all }: Count): void => {
    console.log(`${name}: ${passed} of ${all}`);
    failed += all - passed;
  };
  if (isInstalled('h2spec')) {
    for (const protocol of ['http1', 'http2'] as const) {
      say(`h2spec before versions of ${protocol}`, await h2spec(protocol, []));
      say(`h2spec --strict before versions of ${protocol}`, await h2spec(protocol, ['--strict']));
    }
  } else console.log('h2spec is not installed, and is left out');
  if (isInstalled('h2specd') && isInstalled('curl')) say('h2specd', await h2specd());
  else console.log('h2specd or curl is not installed, and is left out');
  const interop = process.env.UMBRA_GRPC_INTEROP;
  if (interop !== undefined) say('gRPC interop, mirrored', await grpcInterop(interop));
  else console.log('UMBRA_GRPC_INTEROP is not set: the interop cases of gRPC are left out');
  process.exitCode = failed === 0 ? 0 : 1;
}

function isInstalled(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' }).status === 0;
}

async function h2spec(protocol: 'http1' | 'http2', flags: readonly string[]): Promise<Count> {
  const version = await startVersion(protocol);
  const changes = { v1: { protocol }, route: { mirrors: [] }, umbra: { listen } };
  const umbra = await UmbraProcess.start(reviews(version.port, null, changes));
  try {
    const address = ['--host', '127.0.0.1', '--port', String(umbra.port)];
    return totalOf(await output('h2spec', [...address, ...flags]));
  } finally {
    await umbra.stop();
    version.close();
  }
}

/** A version that reads a request before it answers it. */
async function startVersion(protocol: 'http1' | 'http2'): Promise<{ port: number; close(): void }> {
  const server: Server =
    protocol === 'http1'
      ? createServer((request, response) => {
          request.resume();
          request.on('end', () => response.end(answer));
        })
      : createHttp2Server((request, response) => {
          request.resume();
          request.on('end', () => response.end(answer));
        });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

/** h2specd serves each case on a port of its own. One umbra has a version and a route for each. */
async function h2specd(): Promise<Count> {
  const ports = Array.from({ length: specdCases }, (_, i) => specdPort + i);
  const versionOf = (port: number) => ({ endpoints: [`http://127.0.0.1:${port}`], protocol: 'http2' });
  const umbra = await UmbraProcess.start({
    listen: [{ address: '127.0.0.1:0' }],
    admin: { address: '127.0.0.1:0' },
    threads: { proxy: 1, shadow: 1 },
    versions: Object.fromEntries(ports.map((port) => [`p${port}`, versionOf(port)])),
    routes: ports.map((port) => ({
      name: `p${port}`,
      match: { path: { exact: `/${port}` } },
      primary: `p${port}`,
    })),
  });
  const directory = mkdtempSync(join(tmpdir(), 'umbra-h2specd-'));
  const client = join(directory, 'client');
  // Called with `http://127.0.0.1:PORT/`.
  const script = `#!/bin/sh\nport=\${1##*:}\nexec curl -s -o /dev/null -m 3 "${umbra.url}/\${port%/}"\n`;
  writeFileSync(client, script, { mode: 0o755 });
  try {
    const flags = ['--from-port', String(specdPort), '--exec', client];
    return totalOf(await output('h2specd', flags));
  } finally {
    await umbra.stop();
    rmSync(directory, { recursive: true });
  }
}

async function grpcInterop(directory: string): Promise<Count> {
  const servers = [await freePort(), await freePort()].map((port) => ({
    port,
    process: spawn(join(directory, 'server'), ['-port', String(port)], { stdio: 'ignore' }),
  }));
  const [v1, v2] = servers as [(typeof servers)[0], (typeof servers)[0]];
  const http2 = { protocol: 'http2' };
  const umbra = await UmbraProcess.start(
    reviews(v1.port, v2.port, { v1: http2, v2: http2, umbra: { listen } }),
  );
  let passed = 0;
  try {
    const address = ['-server_host', '127.0.0.1', '-server_port', String(umbra.port)];
    for (const name of interopCases) {
      const { status } = spawnSync(join(directory, 'client'), [...address, '-test_case', name]);
      if (status === 0) passed++;
      else console.log(`gRPC interop, ${name}: failed`);
    }
  } finally {
    await umbra.stop();
    for (const server of servers) server.process.kill();
  }
  return { passed, all: interopCases.length };
}

/** Those programs know no port 0. */
async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Resolves with what a program prints, whatever its exit code. */
function output(command: string, words: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'ignore'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    child.on('error', reject);
    child.on('close', () => resolve(text));
  });
}

/** Throws an Error on the output of a run that did not finish. */
function totalOf(text: string): Count {
  const [, all, passed] = totalLine.exec(text) ?? [];
  if (all === undefined) throw new Error(`no total in: ${text.slice(-500)}`);
  const broken = text.split('\n').filter((line) => line.includes('×'));
  for (const line of new Set(broken)) console.log(line.trim());
  return { passed: Number(passed), all: Number(all) };
}

void main();
