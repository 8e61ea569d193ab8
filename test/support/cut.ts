/**
 * A nats-server behind a way that can be cut: packets vanish, no side notices, and what was on its way
 * comes later or never. Two ways: a network namespace of the server's own, whose packets go to an address
 * that nobody has, where the machine lets a test do that; and a relay that stops reading, which needs
 * nothing.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { missing } from './command.js';
import { NatsAddress, NatsServer, noNats } from './nats.js';
import { freePort } from './ports.js';
import { until } from './umbra.js';

export interface CutNats {
  /** Reached over the way. */
  readonly nats: NatsAddress;
  /** The same server, reached without it; null: there is no other way. */
  readonly beside: NatsAddress | null;
  /** `answers`: what is sent to the server still comes to it. */
  cut(what?: 'all' | 'answers'): void;
  /**
   * `forgetful`: connections that were there stay dead, as behind a firewall that has forgotten them. The
   * namespace knows no such thing, and brings all of them back.
   */
  heal(forgetful?: boolean): void;
  stop(): Promise<void>;
}

export interface Way {
  readonly name: string;
  /** False, or why it can't be had here. */
  readonly skip: string | false;
  start(...words: string[]): Promise<CutNats>;
}

export const ways: readonly Way[] = [
  { name: 'a network that loses every packet', skip: noNats || noNamespace(), start: startInNamespace },
  { name: 'a relay that stops reading', skip: noNats, start: startBehindRelay },
];

function noNamespace(): string | false {
  if (process.platform !== 'linux') return 'network namespaces are of Linux';
  for (const program of ['unshare', 'nsenter']) {
    const why = missing(program);
    if (why !== false) return why;
  }
  if (spawnSync('ip', ['-V']).status !== 0) return 'ip is not installed';
  const made = spawnSync('unshare', [
    '-n',
    'ip',
    'link',
    'add',
    'name',
    'here',
    'type',
    'veth',
    'peer',
    'name',
    'there',
  ]);
  return made.status === 0 ? false : 'no right to make network namespaces';
}

/** An address that nobody has. */
const nowhere = '02:00:00:00:00:ff';
const ends = { here: '02:00:00:00:00:01', there: '02:00:00:00:00:02' };
let namespaces = 0;

/** The namespace and both ends of the way to it go with the server. */
async function startInNamespace(...words: string[]): Promise<CutNats> {
  // Of the addresses that are for measurements between networks; four to a way.
  const block = ((process.pid * 4 + namespaces) % 0x8000) * 4;
  const address = (last: number): string =>
    `198.${18 + (block >> 16)}.${(block >> 8) & 255}.${(block & 255) + last}`;
  const [here, there] = [address(1), address(2)];
  const link = `um${process.pid}.${namespaces++}`;
  const nats = await NatsServer.startAs(
    { host: there, port: await freePort(), launcher: ['unshare', '-n'] },
    words,
    async (pid) => {
      const own = readlinkSync('/proc/self/ns/net');
      await until(() => readlinkSync(`/proc/${pid}/ns/net`) !== own, 'the namespace is there');
      const inside = ['nsenter', `--net=/proc/${pid}/ns/net`];
      command(
        'ip',
        'link',
        'add',
        'name',
        link,
        'address',
        ends.here,
        'type',
        'veth',
        'peer',
        'name',
        'way',
        'address',
        ends.there,
        'netns',
        String(pid),
      );
      command('ip', 'address', 'add', `${here}/30`, 'dev', link);
      command('ip', 'link', 'set', link, 'up');
      command(...inside, 'ip', 'address', 'add', `${there}/30`, 'dev', 'way');
      command(...inside, 'ip', 'link', 'set', 'way', 'up');
    },
  );
  const lead = (hereTo: string, thereTo: string): void => {
    const neighbour = (dev: string, of: string, to: string): string[] => [
      'ip',
      'neighbour',
      'replace',
      of,
      'lladdr',
      to,
      'dev',
      dev,
      'nud',
      'permanent',
    ];
    command(...neighbour(link, there, hereTo));
    command('nsenter', `--net=/proc/${nats.pid}/ns/net`, ...neighbour('way', here, thereTo));
  };
  return {
    nats,
    beside: null,
    cut: (what) => lead(what === 'answers' ? ends.there : nowhere, nowhere),
    heal: () => lead(ends.there, ends.here),
    stop: () => nats.stop(),
  };
}

function command(...[program, ...words]: readonly string[]): void {
  const { status, stderr } = spawnSync(program, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${words.join(' ')}: ${stderr}`);
}

async function startBehindRelay(...words: string[]): Promise<CutNats> {
  const behind = await NatsServer.start(...words);
  const relay = await Relay.listen(behind.port);
  return {
    nats: new NatsAddress('127.0.0.1', relay.port),
    beside: behind,
    cut: (what) => relay.cut(what === 'answers'),
    heal: (forgetful) => relay.heal(forgetful),
    stop: async () => {
      relay.close();
      await behind.stop();
    },
  };
}

/**
 * New connections are taken while it is cut, as by a kernel whose program hangs, and nothing comes on them.
 */
class Relay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** The server's. */
  readonly #far = new WeakSet<Socket>();
  #isCut = false;
  /** When it was cut. */
  #there: ReadonlySet<Socket> = new Set();

  private constructor(target: number) {
    this.#server = createServer((near) => {
      const far = connect(target, '127.0.0.1');
      this.#far.add(far);
      this.#lead(near, far);
      this.#lead(far, near);
    });
  }

  static async listen(target: number): Promise<Relay> {
    const relay = new Relay(target);
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  cut(answersAlone: boolean): void {
    this.#isCut = true;
    this.#there = new Set(this.#sockets);
    for (const socket of this.#sockets) if (!answersAlone || this.#far.has(socket)) socket.pause();
  }

  heal(forgetful = false): void {
    this.#isCut = false;
    for (const socket of this.#sockets) if (!forgetful || !this.#there.has(socket)) socket.resume();
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #lead(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on('data', (piece) => to.write(piece));
    from.on('error', () => {});
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    if (this.#isCut) from.pause();
  }
}
