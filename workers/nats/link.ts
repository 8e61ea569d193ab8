/**
 * A connection to NATS that is wanted for as long as a thread lives: made again for ever, with one word for
 * each change of its state.
 */
import { isIP } from 'node:net';
import type { NatsConnection } from '@nats-io/transport-node';
import type { NatsPlace } from '../../core/plan.js';
import { connectNats, hostOf } from './connect.js';

export interface LinkEvents {
  onUp(connection: NatsConnection): void;
  /** Called once until it is up again. */
  onDown(why: string): void;
}

const retryMs = 1000;
const closeMs = 500;

export class NatsLink {
  readonly #place: NatsPlace;
  readonly #events: LinkEvents;
  #connection: NatsConnection | null = null;
  /** Servers of the cluster beside those that were named. */
  #learned: readonly string[] = [];
  /**
   * The server lists them by address, and their certificates are of the name that was asked; null where
   * there is none.
   */
  #certificateOf: string | null = null;
  #isUp = false;
  #toldDown = false;
  #stopped = false;

  constructor(place: NatsPlace, events: LinkEvents) {
    this.#place = place;
    this.#events = events;
    void this.#run();
  }

  /** Null while it is down. */
  get connection(): NatsConnection | null {
    return this.#isUp ? this.#connection : null;
  }

  /** What was sent is flushed, if that is soon done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#isUp = false;
    const connection = this.#connection;
    if (connection === null) return;
    const late = new Promise<void>((resolve) => setTimeout(resolve, closeMs).unref());
    await Promise.race([connection.drain().catch(() => {}), late]);
    await connection.close();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        const connection = await this.#connect();
        this.#connection = connection;
        this.#learn(connection);
        if (this.#stopped) return await connection.close();
        this.#up(connection);
        for await (const status of connection.status()) {
          if (status.type === 'update') this.#learn(connection);
          if (status.type !== 'disconnect' && status.type !== 'staleConnection') continue;
          this.#down('the connection to NATS was lost');
          // The client would wait until the kernel has taken what is unsent, which it does not while packets
          // vanish.
          if (status.type === 'staleConnection') void connection.close();
        }
        this.#down('the connection to NATS was closed');
      } catch (error) {
        this.#down((error as Error).message);
      }
      await new Promise<void>((resolve) => setTimeout(resolve, retryMs));
    }
  }

  /** Those that were named first: whoever named them knows them by these names. */
  async #connect(): Promise<NatsConnection> {
    try {
      return await connectNats(this.#place, process.env, { reconnects: false });
    } catch (error) {
      if (this.#learned.length === 0 || this.#stopped) throw error;
      const words = { reconnects: false, certificateOf: this.#certificateOf };
      return await connectNats({ ...this.#place, servers: this.#learned }, process.env, words).catch(() => {
        throw error;
      });
    }
  }

  /** A server lists the others, so that one that was named and is gone is not needed. */
  #learn(connection: NatsConnection): void {
    const { info } = connection;
    this.#learned = info?.connect_urls ?? this.#learned;
    const host = hostOf(connection.getServer());
    if ((info?.tls_required || info?.tls_available) && isIP(host) === 0) this.#certificateOf = host;
  }

  #up(connection: NatsConnection): void {
    if (this.#isUp || this.#stopped) return;
    this.#isUp = true;
    this.#toldDown = false;
    this.#events.onUp(connection);
  }

  #down(why: string): void {
    this.#isUp = false;
    if (this.#toldDown || this.#stopped) return;
    this.#toldDown = true;
    this.#events.onDown(why);
  }
}
