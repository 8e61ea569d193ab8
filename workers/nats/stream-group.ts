/**
 * A durable pull group on a stream: takes as many deliveries as its taker has room for, and no more, over
 * lost connections and restarted servers, until it is stopped. Commands.
 */

import type {
  Consumer,
  ConsumerAPI,
  ConsumerConfig,
  ConsumerInfo,
  ConsumerMessages,
  JsMsg,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { NatsSubject } from '../../config/nats-address.js';
import type { Delivery } from '../../core/stream/stream-shadow.js';
import { natsReason } from './connect.js';
import { NatsLink } from './link.js';
import { findStream } from './stream.js';

export interface DeliveryTaker {
  /** How many it has room for now, if none is larger than `bytesMax`. */
  roomFor(bytesMax: number): number;
  /** Resolves also when it is stopped. */
  whenRoomFor(bytesMax: number): Promise<void>;
  stop(): void;
  take(delivery: Delivery): void;
}

export interface StreamGroupOptions {
  readonly from: NatsSubject;
  readonly group: string;
  readonly ackWaitMs: number;
  readonly taker: DeliveryTaker;
  /** The group is there, for the first time or again. */
  onOpen(stream: string, info: ConsumerInfo): void;
  /** Called once for each trouble until it is there again; it is tried again for ever. */
  onTrouble(kind: GroupTrouble, why: string): void;
  /** Nothing came for a while. */
  onQuiet(info: ConsumerInfo): void;
}

/** No connection; no stream yet, which whoever publishes makes; or JetStream refuses the group. */
export type GroupTrouble = 'connection' | 'no-stream' | 'refused';

class NoStreamError extends Error {}
class RefusedError extends Error {}

/** How long one request for messages waits for them. */
const waitMs = 2000;
const retryMs = 500;
/** The default of nats-server. */
const usualPayloadBytes = 1024 * 1024;
/** After a stop, what was asked for before is still taken, and given back, for so long. */
const graceMs = 200;
/** Messages that all processes of a group together may have. */
const unacknowledgedMax = 100_000;
/** The client's words for a server that says nothing. */
const silences: readonly string[] = ['heartbeats missed', 'timeout'];
/** JetStream's own word for a group that is not there. */
const consumerNotFound = 10_014;
/**
 * JetStream's codes for a work queue whose messages another group has: all of them, or those of the subject.
 */
const workQueueTaken: readonly unknown[] = [10_099, 10_100];

export class StreamGroup {
  readonly #options: StreamGroupOptions;
  readonly #link: NatsLink;
  #messages: ConsumerMessages | null = null;
  #stopping = false;
  #troubled = '';
  #wake: () => void = () => {};

  constructor(options: StreamGroupOptions) {
    this.#options = options;
    this.#link = new NatsLink(options.from.nats, {
      onUp: () => this.#wake(),
      onDown: (why) => {
        this.#trouble('connection', why);
        // What it still waits for will not come.
        this.#messages?.stop();
      },
    });
  }

  /** Resolves when it was stopped; what was taken is not done then. Rejects never. */
  async run(): Promise<void> {
    let consumer: Consumer | null = null;
    let opened: NatsConnection | null = null;
    while (!this.#stopping) {
      const { connection } = this.#link;
      if (connection === null) {
        await this.#pause(retryMs);
        continue;
      }
      try {
        if (consumer === null || opened !== connection) consumer = await this.#open(connection);
        opened = connection;
        await this.#takeSome(consumer);
      } catch (error) {
        consumer = null;
        // The link has reported a lost connection.
        if (this.#link.connection !== null) this.#trouble(...troubleOf(error));
        await this.#pause(retryMs);
      }
    }
  }

  /** Takes nothing more; what it is sent meanwhile goes back. */
  stop(): void {
    this.#stopping = true;
    this.#options.taker.stop();
    // What is on its way here would be nobody's until the group's time for it is over.
    setTimeout(() => this.#messages?.stop(), graceMs);
    this.#wake();
  }

  /** Acknowledgements that were given are sent before. */
  async close(): Promise<void> {
    this.stop();
    await this.#link.stop();
  }

  async #takeSome(consumer: Consumer): Promise<void> {
    const { taker, onQuiet } = this.#options;
    // The client asks either for so many messages or for so many bytes, and none is larger than this.
    const bytesMax = this.#link.connection?.info?.max_payload ?? usualPayloadBytes;
    await taker.whenRoomFor(bytesMax);
    if (this.#stopping) return;
    const messages = await consumer.fetch({
      max_messages: taker.roomFor(bytesMax),
      expires: waitMs,
    });
    this.#messages = messages;
    let count = 0;
    try {
      for await (const message of messages) {
        count++;
        // A connection that was lost and found may bring more than was asked for.
        await taker.whenRoomFor(bytesMax);
        if (this.#stopping) message.nak(2 * graceMs);
        else taker.take(deliveryOf(message));
      }
    } finally {
      this.#messages = null;
    }
    if (count === 0 && !this.#stopping) onQuiet(await consumer.info());
  }

  async #open(connection: NatsConnection): Promise<Consumer> {
    const { from, group, ackWaitMs, onOpen } = this.#options;
    const { AckPolicy, DeliverPolicy, jetstream, jetstreamManager } = await import('@nats-io/jetstream');
    const { nanos } = await import('@nats-io/transport-node');
    const stream = await findStream(connection, from.subject);
    if (stream === null) throw new NoStreamError(`there is no stream for ${from.subject} yet`);
    const { consumers } = await jetstreamManager(connection);
    let info = await consumers.info(stream, group).catch((error: { code?: unknown }) => {
      if (error.code === consumerNotFound) return null;
      throw error;
    });
    // One that is there is used as it is; two that make it at once make the same.
    info ??= await this.#make(consumers, stream, {
      durable_name: group,
      description: 'umbra shadow',
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      filter_subject: from.subject,
      ack_wait: nanos(ackWaitMs),
      // How often a message is delivered is counted by whoever takes it, so that none is given up uncounted.
      max_deliver: -1,
      max_ack_pending: unacknowledgedMax,
    });
    this.#troubled = '';
    onOpen(stream, info);
    return jetstream(connection).consumers.get(stream, group);
  }

  async #make(
    consumers: ConsumerAPI,
    stream: string,
    config: Partial<ConsumerConfig>,
  ): Promise<ConsumerInfo> {
    try {
      return await consumers.add(stream, config);
    } catch (error) {
      if (!workQueueTaken.includes((error as { code?: unknown }).code)) throw error;
      const subject = config.filter_subject;
      for await (const other of consumers.list(stream)) {
        // One without a subject has them all.
        if ((other.config.filter_subject ?? subject) !== subject) continue;
        throw new RefusedError(
          `${stream} is a work queue, and the group ${other.name} has its messages: --group ${other.name} shares them`,
        );
      }
      // It has several subjects, or a pattern of them: JetStream's own words must do.
      throw error;
    }
  }

  #trouble(kind: GroupTrouble, why: string): void {
    if (this.#stopping || this.#troubled === why) return;
    this.#troubled = why;
    this.#options.onTrouble(kind, why);
  }

  /** Until something changes, `ms` at most. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function troubleOf(error: unknown): [GroupTrouble, string] {
  if (error instanceof NoStreamError) return ['no-stream', error.message];
  if (error instanceof RefusedError) return ['refused', error.message];
  if (typeof (error as { code?: unknown }).code === 'number') return ['refused', natsReason(error)];
  const reason = natsReason(error);
  return ['connection', silences.includes(reason) ? 'NATS does not answer' : reason];
}

function deliveryOf(message: JsMsg): Delivery {
  const { data, headers, info } = message;
  return {
    about: headers?.get('Umbra') ?? '',
    payload: Buffer.from(data.buffer, data.byteOffset, data.byteLength),
    sequence: info.streamSequence,
    count: info.deliveryCount,
    pending: info.pending,
    done: () => message.ack(),
    again: (afterMs) => message.nak(afterMs),
    reject: () => message.term(),
  };
}
