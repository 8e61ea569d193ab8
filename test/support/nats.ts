/**
 * A real nats-server with JetStream on a port of its own, which can be killed and started again over the same
 * store.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { type KV, Kvm } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';
import type { NatsPlace } from '../../core/plan.js';
import { connectNats } from '../../workers/nats/connect.js';
import { missing } from './command.js';
import { accepts, freePort } from './ports.js';
import type { Test } from './tap.js';
import { until } from './umbra.js';

/** False where there is one, else why a test that needs it is skipped. */
export const noNats: string | false = missing('nats-server');

const loopback = '127.0.0.1';

/** Where a server is reached. */
export class NatsAddress {
  readonly host: string;
  readonly port: number;

  constructor(host: string, port: number) {
    this.host = host;
    this.port = port;
  }

  get place(): NatsPlace {
    return { servers: [`${this.host}:${this.port}`], secure: false, user: null, password: null };
  }

  fleet(bucket: string): string {
    return `nats://${this.host}:${this.port}/${bucket}`;
  }

  stream(subject: string): string {
    return `nats://${this.host}:${this.port}/${subject}`;
  }

  /** Runs `work` with a connection of its own, which is closed afterwards. */
  async with<T>(work: (manager: JetStreamManager, connection: NatsConnection) => Promise<T>): Promise<T> {
    const connection = await this.connect();
    try {
      return await work(await jetstreamManager(connection), connection);
    } finally {
      await connection.close();
    }
  }

  connect(): Promise<NatsConnection> {
    return connectNats(this.place, {});
  }
}

/** Where it is to run. */
export interface NatsHost {
  readonly host: string;
  readonly port: number;
  /** A program that becomes the server after what it does for it. */
  readonly launcher: readonly string[];
}

export class NatsServer extends NatsAddress {
  readonly #at: NatsHost;
  readonly #directory = mkdtempSync(join(tmpdir(), 'umbra-nats-'));
  readonly #words: readonly string[];
  #child: ChildProcess | null = null;

  private constructor(at: NatsHost, words: readonly string[]) {
    super(at.host, at.port);
    this.#at = at;
    this.#words = words;
    process.once('exit', () => this.#child?.kill('SIGKILL'));
  }

  /** `words` are further ones of its command line. */
  static async start(...words: string[]): Promise<NatsServer> {
    return NatsServer.startAs(
      { host: loopback, port: await freePort(), launcher: [] },
      words,
      async () => {},
    );
  }

  /** `prepare` makes the way to it when it runs. */
  static async startAs(
    at: NatsHost,
    words: readonly string[],
    prepare: (pid: number) => Promise<void>,
  ): Promise<NatsServer> {
    const server = new NatsServer(at, words);
    await server.startAgain(prepare);
    return server;
  }

  async startAgain(prepare: (pid: number) => Promise<void> = async () => {}): Promise<void> {
    const { launcher, port } = this.#at;
    const bound = launcher.length === 0 ? loopback : '0.0.0.0';
    const place = ['-a', bound, '-p', String(port), '-js', '-sd', this.#directory];
    const [program, ...words] = [...launcher, 'nats-server', ...place, ...this.#words];
    const child = spawn(program, words, { stdio: 'ignore' });
    this.#child = child;
    await prepare(child.pid!);
    await until(() => accepts(port, this.host), 'nats-server listens');
  }

  get pid(): number {
    return this.#child!.pid!;
  }

  async kill(): Promise<void> {
    const child = this.#child!;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  /** Stops the server as an operator does: what it acknowledged is on its disk. */
  async restart(): Promise<void> {
    const gone = once(this.#child!, 'exit');
    this.#child!.kill('SIGTERM');
    await gone;
    await this.startAgain();
  }

  /** `SIGSTOP` makes it hang, `SIGCONT` lets it continue. */
  signal(signal: NodeJS.Signals): void {
    this.#child!.kill(signal);
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Starts a server for the test `t` alone, and creates a bucket of it. */
export async function startBucket(t: Test): Promise<{ connection: NatsConnection; bucket: KV }> {
  const nats = await NatsServer.start();
  const connection = await nats.connect();
  t.teardown(async () => {
    await connection.close();
    await nats.stop();
  });
  return { connection, bucket: await new Kvm(connection).create('plans') };
}
