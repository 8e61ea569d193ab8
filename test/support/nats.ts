/** A real nats-server with JetStream on a port of its own, which can be killed and started again over the same store. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { NatsPlace } from '../../core/plan.js';
import { connectNats } from '../../workers/nats/connect.js';
import { missing } from './command.js';
import { accepts, freePort } from './ports.js';
import { until } from './umbra.js';

/** False where there is one, else why a test that needs it is skipped. */
export const noNats: string | false = missing('nats-server');

export class NatsServer {
  readonly port: number;
  readonly #directory = mkdtempSync(join(tmpdir(), 'umbra-nats-'));
  readonly #words: readonly string[];
  #child: ChildProcess | null = null;

  private constructor(port: number, words: readonly string[]) {
    this.port = port;
    this.#words = words;
    process.once('exit', () => this.#child?.kill('SIGKILL'));
  }

  /** `words` are further ones of its command line. */
  static async start(...words: string[]): Promise<NatsServer> {
    const server = new NatsServer(await freePort(), words);
    await server.startAgain();
    return server;
  }

  async startAgain(): Promise<void> {
    const place = ['-a', '127.0.0.1', '-p', String(this.port), '-js', '-sd', this.#directory];
    const child = spawn('nats-server', [...place, ...this.#words], { stdio: 'ignore' });
    this.#child = child;
    await until(() => accepts(this.port), 'nats-server listens');
  }

  async kill(): Promise<void> {
    const child = this.#child!;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  /** As an operator does: what it acknowledged is on its disk. */
  async restart(): Promise<void> {
    const gone = once(this.#child!, 'exit');
    this.#child!.kill('SIGTERM');
    await gone;
    await this.startAgain();
  }

  /** `SIGSTOP` makes it hang, `SIGCONT` lets it go on. */
  signal(signal: NodeJS.Signals): void {
    this.#child!.kill(signal);
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  get place(): NatsPlace {
    return { servers: [`127.0.0.1:${this.port}`], secure: false, user: null, password: null };
  }

  fleet(bucket: string): string {
    return `nats://127.0.0.1:${this.port}/${bucket}`;
  }

  stream(subject: string): string {
    return `nats://127.0.0.1:${this.port}/${subject}`;
  }

  /** With a connection of its own, which is closed when `work` is done. */
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
