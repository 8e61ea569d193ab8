/**
 * Attacks beside 100 clients at half load. Each attack is measured between two runs without it, on the same
 * umbra, and the slowest client's longest wait is compared: an attack that umbra bounds makes nobody wait
 * longer.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serverKey, serverPem } from '../support/authority.js';
import { engine, gapOf, reviews, UmbraProcess } from '../support/umbra.js';
import { attacks } from './attacker.js';
import { runClients, type Waits } from './paced-clients.js';

export interface AttackResult {
  readonly name: string;
  readonly perSecond: number;
  readonly without: Waits;
  readonly during: Waits;
  /** Sum over the mirrors of what the law does not account for; 0 is wanted. */
  readonly gap: number;
}

const clients = 100;
/** No client may wait more than so much longer than without the attack. */
export const longerMsMax = 20;
const saturationSeconds = 3;
const shadows = ['s0', 's1', 's2', 's3', 's4', 's5'];
export const attackNames = ['names', ...Object.keys(attacks)];

/** Runs one attack. `seconds`: how long each of its three measurements takes. */
export async function runAttack(name: string, seconds: number): Promise<AttackResult> {
  const directory = mkdtempSync(join(tmpdir(), 'umbra-attack-'));
  const places = [await listen('127.0.0.1', 0)];
  const { port } = places[0]!.address() as AddressInfo;
  // Only Linux has a second loopback address without further ado.
  if (process.platform === 'linux') places.push(await listen('127.0.0.2', port));
  const names = new Names(directory);
  names.set('127.0.0.1', false);
  const umbra = await UmbraProcess.start(configuration(port, directory), names.preload);
  try {
    const most = await runClients(umbra.port, clients, null, saturationSeconds);
    const perSecond = most.requests / saturationSeconds / 2;
    const before = await runClients(umbra.port, clients, perSecond, seconds);
    const stop = name === 'names' ? names.attack(places.length) : await start(name, umbra);
    const during = await runClients(umbra.port, clients, perSecond, seconds);
    stop();
    names.set('127.0.0.1', false);
    const after = await runClients(umbra.port, clients, perSecond, seconds);
    const { mirrors } = await umbra.atRest();
    const gap = mirrors.reduce((sum, mirror) => sum + Math.abs(gapOf(mirror)), 0);
    return { name, perSecond, without: worse(before, after), during, gap };
  } finally {
    await umbra.stop();
    for (const place of places) {
      place.closeAllConnections();
      place.close();
    }
    rmSync(directory, { recursive: true, force: true });
  }
}

/** One primary and six shadows by name, a plain listener, and one with TLS on the node engine. */
function configuration(port: number, directory: string) {
  const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  writeFileSync(cert, serverPem);
  writeFileSync(key, serverKey);
  const version = (name: string) => ({ endpoints: `http://${name}.test:${port}`, dns: { refresh: '100ms' } });
  return reviews(0, null, {
    umbra: {
      listen: [
        { address: '127.0.0.1:0', engine },
        { address: '127.0.0.1:0', engine: 'node', tls: { cert, key } },
      ],
      drain: '3s',
      versions: Object.fromEntries(['v1', ...shadows].map((name) => [name, version(name)])),
    },
    route: { mirrors: shadows.map((to) => ({ to, percent: 5 })) },
  });
}

async function start(name: string, umbra: UmbraProcess): Promise<() => void> {
  const { on } = attacks[name]!;
  const port = { listener: umbra.port, tls: umbra.ports[1]!, admin: Number(new URL(umbra.adminUrl).port) }[
    on
  ];
  const file = fileURLToPath(new URL('./attacker.js', import.meta.url));
  const child = fork(file, [name, String(port)], { execArgv: [] });
  await once(child, 'message');
  return () => child.kill('SIGKILL');
}

function worse(a: Waits, b: Waits): Waits {
  return {
    requests: a.requests + b.requests,
    failures: [...a.failures, ...b.failures],
    slowestMs: Math.max(a.slowestMs, b.slowestMs),
  };
}

async function listen(host: string, port: number): Promise<Server> {
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    request.resume();
    request.on('end', () => response.end('ok\n'));
  });
  server.listen(port, host);
  await once(server, 'listening');
  return server;
}

/** The resolver of the umbra that is attacked. */
class Names {
  readonly preload = ['--import', new URL('../support/names.js', import.meta.url).href];
  readonly #file: string;

  constructor(directory: string) {
    this.#file = join(directory, 'names.json');
    process.env.UMBRA_TEST_NAMES = this.#file;
  }

  set(primary: string, shadowsHang: boolean): void {
    const shadow = shadowsHang ? 'hang' : ['127.0.0.1'];
    const names = {
      'v1.test': [primary],
      ...Object.fromEntries(shadows.map((name) => [`${name}.test`, shadow])),
    };
    writeFileSync(`${this.#file}.new`, JSON.stringify(names));
    renameSync(`${this.#file}.new`, this.#file);
  }

  /**
   * The lookups of all shadows hang, and the primary moves each half second among the first `hosts`
   * addresses.
   */
  attack(hosts: number): () => void {
    let moves = 0;
    const timer = setInterval(() => this.set(`127.0.0.${1 + (++moves % hosts)}`, true), 500);
    this.set('127.0.0.1', true);
    return () => clearInterval(timer);
  }
}
