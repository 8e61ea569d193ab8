/**
 * The connection of a stream's sink: publishes with a reply subject of its own for each message, and reports
 * what the server answered. It is ready when there is a connection and a stream has the subject; both are
 * seen to for ever. Sink thread.
 */
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import type { StreamSinkPlan } from '../../core/plan.js';
import type { StreamMessage } from '../../core/stream/message.js';
import type { StreamLink, StreamLinkEvents } from '../../core/stream/stream-link.js';
import { natsReason } from './connect.js';
import { NatsLink } from './link.js';
import { openOrMakeStream, stateOf } from './stream.js';

/** The default of nats-server. */
const usualPayloadBytes = 1024 * 1024;
const againMs = 500;
const stateMs = 5000;
const stateInVainMs = 30_000;
const noRespondersCode = 503;

/** JetStream's own code for limits of the stream: bytes, messages. */
const streamFull = 10_077;
/** The same, and limits of the server's disk or memory, and of the account. */
const fullCodes: readonly number[] = [streamFull, 10_023, 10_028, 10_047];
const streamNotFound = 10_059;

type Nats = typeof import('@nats-io/transport-node');

interface Answer {
  readonly error?: { readonly code?: number; readonly err_code?: number; readonly description?: string };
}

export class StreamPublisher implements StreamLink {
  readonly #plan: StreamSinkPlan;
  readonly #events: StreamLinkEvents;
  readonly #link: NatsLink;
  #nats: Nats | null = null;
  #connection: NatsConnection | null = null;
  #inbox = '';
  #ready = false;
  #toldDown = false;
  /** The latest look for the stream; one that is not is over. */
  #look = 0;
  #lag: number | null = null;
  /** The latest message that found no room met a limit of the stream, whose state says when it has room. */
  #isFullItself = false;
  /** Messages that found no room. */
  #fullAnswers = 0;

  constructor(plan: StreamSinkPlan, events: StreamLinkEvents) {
    this.#plan = plan;
    this.#events = events;
    this.#link = new NatsLink(plan.nats, {
      onUp: (connection) => void this.#findStream(connection),
      onDown: (why) => {
        this.#look++;
        this.#down(why);
      },
    });
  }

  get messageBytesMax(): number {
    return this.#connection?.info?.max_payload ?? usualPayloadBytes;
  }

  get lag(): number | null {
    return this.#lag;
  }

  publish(id: string, token: string, { about, payload }: StreamMessage): void {
    const headers = this.#nats!.headers();
    headers.set('Nats-Msg-Id', id);
    headers.set('Umbra', about);
    try {
      this.#connection!.publish(this.#plan.subject, payload, { reply: this.#inbox + token, headers });
    } catch (error) {
      // Larger than the server takes now, or the connection was closed under us: nothing went out.
      this.#events.onAnswer(token, 'refused', natsReason(error));
    }
  }

  async close(): Promise<void> {
    this.#look++;
    await this.#link.stop();
  }

  async #findStream(connection: NatsConnection): Promise<void> {
    const look = ++this.#look;
    while (look === this.#look) {
      try {
        this.#nats ??= await import('@nats-io/transport-node');
        const stream = await openOrMakeStream(connection, this.#plan);
        if (look !== this.#look) return;
        this.#listen(this.#nats, connection);
        this.#ready = true;
        this.#toldDown = false;
        this.#events.onReady();
        void this.#watchState(look, connection, stream);
        return;
      } catch (error) {
        if (look !== this.#look) return;
        this.#down(`there is no stream for ${this.#plan.subject}: ${natsReason(error)}`);
        await new Promise<void>((resolve) => setTimeout(resolve, againMs));
      }
    }
  }

  /** Until the stream or the connection is lost. */
  async #watchState(look: number, connection: NatsConnection, stream: string): Promise<void> {
    while (look === this.#look) {
      // A client that may publish may lack the right to ask, and each refused question is a line in the
      // server's log.
      const fullBefore = this.#fullAnswers;
      const state = await stateOf(connection, stream, this.#plan.subject).catch(() => null);
      // A connection that is gone answers late, and knows less than the one that is there.
      if (look !== this.#look) return;
      this.#lag = state?.lag ?? null;
      // What was asked before a message found no room may be answered after it, and says nothing of it.
      const isOfNow = this.#fullAnswers === fullBefore;
      if (state !== null && this.#isFullItself && isOfNow) this.#events.onRoom(state.room);
      const pauseMs = state === null ? stateInVainMs : stateMs;
      await new Promise<void>((resolve) => setTimeout(resolve, pauseMs).unref());
    }
  }

  /** Listens on each connection once: another look may find the stream over the same one. */
  #listen(nats: Nats, connection: NatsConnection): void {
    if (connection === this.#connection) return;
    this.#connection = connection;
    this.#inbox = `${nats.createInbox()}.`;
    connection.subscribe(`${this.#inbox}*`, {
      callback: (error, message) => {
        if (error === null) this.#answered(message);
      },
    });
  }

  #answered(message: Msg): void {
    if (message.headers?.code === noRespondersCode) {
      this.#streamIsGone('JetStream does not answer');
      return;
    }
    const token = message.subject.slice(this.#inbox.length);
    const { error } = answerOf(message);
    if (error === undefined) this.#events.onAnswer(token, 'stored', '');
    else if (fullCodes.includes(error.err_code ?? 0)) {
      this.#isFullItself = error.err_code === streamFull;
      this.#fullAnswers++;
      this.#events.onAnswer(token, 'full', '');
    } else if (error.err_code === streamNotFound || error.code === noRespondersCode)
      this.#streamIsGone(error.description ?? 'JetStream does not answer');
    else this.#events.onAnswer(token, 'refused', `NATS refused a message: ${error.description ?? 'unknown'}`);
  }

  /** It was deleted, or the server has only just come up. */
  #streamIsGone(why: string): void {
    if (!this.#ready) return;
    this.#down(`there is no stream for ${this.#plan.subject}: ${why}`);
    const { connection } = this.#link;
    if (connection !== null) void this.#findStream(connection);
  }

  #down(why: string): void {
    const wasReady = this.#ready;
    this.#ready = false;
    if (this.#toldDown && !wasReady) return;
    this.#toldDown = true;
    this.#events.onDown(why);
  }
}

function answerOf(message: Msg): Answer {
  try {
    return message.json<Answer>();
  } catch {
    return { error: { description: 'an answer that is not JSON' } };
  }
}
