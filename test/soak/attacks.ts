/**
 * Attacks beside 100 clients at half load. Stretches with and without the attack take turns on the same
 * umbra, and how long clients waited is compared: an attack that umbra bounds makes nobody wait longer.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serverKey, serverPem } from '../support/authority.js';
import { engine, gapOf, reviews, twoProxies, UmbraProcess, until } from '../support/umbra.js';
import { attacks } from './attacker.js';
import { PacedClients, Waits } from './paced-clients.js';

export interface AttackResult {
  readonly name: string;
  readonly perSecond: number;
  readonly without: Waits;
  readonly during: Waits;
  /** Sum over the mirrors of what the law does not account for; 0 is wanted. */
  readonly gap: number;
}

const clientCount = 100;
/** No client may wait more than so much longer than without the attack: the slowest, and 99 of 100. */
export const longerMsMax = 20;
const saturationSeconds = 3;
/** Stretches with the attack, each after one without it. */
const rounds = 3;
const shadows = ['s0', 's1', 's2', 's3', 's4', 's5'];
/** Attacks of name servers and of shadows need no connections of their own. */
export const attackNames = ['names', 'answers', ...Object.keys(attacks)];

/** Runs one attack. `seconds`: how long it is measured with and without the attack, each in parts. */
export async function runAttack(name: string, seconds: number): Promise<AttackResult> {
  const directory = mkdtempSync(join(tmpdir(), 'umbra-attack-'));
  const origin = fork(file('attacked-origin'), [], { execArgv: [] });
  const [port] = (await once(origin, 'message')) as [number];
  const names = new Names(directory);
  names.set('127.0.0.1', false);
  const umbra = await UmbraProcess.start(configuration(port, directory), names.preload);
  const clients = new PacedClients(umbra.port, clientCount);
  try {
    const most = await clients.run(null, saturationSeconds);
    const perSecond = most.requests / saturationSeconds / 2;
    const [without, during] = [new Waits(), new Waits()];
    for (let round = 0; round < rounds; round++) {
      without.add(await clients.run(perSecond, seconds / rounds));
      const stop = await start(name, umbra, names, origin);
      during.add(await clients.run(perSecond, seconds / rounds));
      stop();
      await settled(umbra);
    }
    const { mirrors } = await umbra.atRest();
    const gap = mirrors.reduce((sum, mirror) => sum + Math.abs(gapOf(mirror)), 0);
    return { name, perSecond, without, during, gap };
  } finally {
    clients.close();
    await umbra.stop();
    origin.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * One primary and six shadows by name, a recording, an access log, a plain listener, and one with TLS on the
 * node engine.
 */
function configuration(port: number, directory: string) {
  const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  writeFileSync(cert, serverPem);
  writeFileSync(key, serverKey);
  const version = (name: string) => ({ endpoints: `http://${name}.test:${port}`, dns: { refresh: '100ms' } });
  const mirrors = [...shadows, `file:${join(directory, 'recording')}`].map((to) => ({ to, percent: 5 }));
  return reviews(0, null, {
    umbra: {
      threads: twoProxies,
      listen: [
        { address: '127.0.0.1:0', engine },
        { address: '127.0.0.1:0', engine: 'node', tls: { cert, key } },
      ],
      drain: '3s',
      accessLog: { path: join(directory, 'access.log'), format: 'json' },
      versions: Object.fromEntries(['v1', ...shadows].map((name) => [name, version(name)])),
    },
    route: { mirrors },
  });
}

/** Starts an attack, and returns what stops it. */
async function start(
  name: string,
  umbra: UmbraProcess,
  names: Names,
  origin: ChildProcess,
): Promise<() => void> {
  if (name === 'names') return names.attack();
  if (name === 'answers') {
    origin.send('hostile');
    return () => origin.send('friendly');
  }
  const { on } = attacks[name]!;
  const ports = { listener: umbra.port, tls: umbra.ports[1]!, admin: Number(new URL(umbra.adminUrl).port) };
  const child = fork(file('attacker'), [name, String(ports[on])], { execArgv: [] });
  await once(child, 'message');
  return () => child.kill('SIGKILL');
}

/** The attacker's connections are gone: what their end costs is no part of the next stretch. */
function settled(umbra: UmbraProcess): Promise<boolean> {
  return until(async () => {
    const lines = (await umbra.metrics()).matchAll(/^umbra_downstream_connections\{[^}]*\} (\d+)$/gm);
    return [...lines].reduce((sum, [, count]) => sum + Number(count), 0) <= clientCount;
  }, 'the connections of the attack are gone');
}

function file(name: string): string {
  return fileURLToPath(new URL(`./${name}.js`, import.meta.url));
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

  /** The lookups of all shadows hang, and the primary moves each half second between its addresses. */
  attack(): () => void {
    const hosts = process.platform === 'linux' ? 2 : 1;
    let moves = 0;
    const timer = setInterval(() => this.set(`127.0.0.${1 + (++moves % hosts)}`, true), 500);
    this.set('127.0.0.1', true);
    return () => {
      clearInterval(timer);
      this.set('127.0.0.1', false);
    };
  }
}
