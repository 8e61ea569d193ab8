/**
 * Follows a plan in a bucket: each new revision is asked for as a change, and the result is written beside
 * it. Control thread. It polls once a second instead of waiting for a notification, so that a restarted
 * server or a recreated bucket needs no special case (docs/decisions/065).
 */
import type { KV } from '@nats-io/kv';
import { formatPlanAddress } from '../../config/nats-address.js';
import { limits } from '../../core/limits.js';
import type { PlanState } from '../../core/report/control-counts.js';
import type { AdminLog } from '../admin/deps.js';
import { openBucket } from '../nats/bucket.js';
import { natsReason } from '../nats/connect.js';
import { NatsLink } from '../nats/link.js';
import type { ChangeAnswer, PlanSource } from '../protocol/messages.js';

export interface FollowerOptions {
  readonly source: PlanSource;
  /** This instance's name and process, for what is written beside the plan. */
  readonly instance: () => { readonly name: string; readonly id: string };
  readonly generation: () => number;
  readonly take: (text: string, revision: number) => Promise<ChangeAnswer>;
  readonly log: AdminLog;
}

const lookMs = 1000;

export class PlanFollower {
  readonly state: PlanState;
  readonly #options: FollowerOptions;
  readonly #link: NatsLink;
  readonly #timer: NodeJS.Timeout;
  #bucket: KV | null = null;
  /** Taken or refused. */
  #seen: number;
  #reported = '';
  #busy = false;
  /** What is still to be written beside the plan. */
  #answer: object | null;

  constructor(options: FollowerOptions) {
    this.#options = options;
    const { source, log } = options;
    const name = formatPlanAddress(source.place);
    const counts = { taken: 0, refusals: 0 };
    this.state = { source: name, connected: false, revision: source.revision, refused: null, ...counts };
    this.#seen = source.revision;
    this.#answer = this.#answerOf(source.revision, []);
    this.#link = new NatsLink(source.place.nats, {
      onUp: () => {
        this.state.connected = true;
        this.#bucket = null;
        log.info({ plan: name }, `${name} is followed from revision ${this.#seen}`);
      },
      onDown: (why) => {
        this.state.connected = false;
        this.#bucket = null;
        log.warn({ plan: name }, `${name} can't be followed: ${why}; the last plan stays in force`);
      },
    });
    this.#timer = setInterval(() => void this.#look(), lookMs);
  }

  /** Takes the revision that is there, even if it was seen: files that it names may be others. */
  again(): void {
    this.#seen = -1;
    void this.#look();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#link.stop();
  }

  async #look(): Promise<void> {
    const connection = this.#link.connection;
    if (this.#busy || connection === null) return;
    this.#busy = true;
    const { bucket: name, key } = this.#options.source.place;
    try {
      // Of this connection all along, though it may be lost while a revision is taken.
      const bucket = this.#bucket ?? (await openBucket(connection, name));
      this.#bucket = bucket;
      const entry = (await bucket?.get(key)) ?? null;
      if (bucket === null || entry?.operation !== 'PUT') {
        this.#bucket = null;
        this.#report('the plan was removed; the last one stays in force');
        return;
      }
      if (entry.revision !== this.#seen) await this.#take(entry.revision, entry.value);
      if (this.#answer !== null) {
        await bucket.put(`${key}.ack.${this.#options.instance().name}`, JSON.stringify(this.#answer));
        this.#answer = null;
      }
      this.#reported = '';
    } catch (error) {
      this.#bucket = null;
      this.#report(natsReason(error));
    } finally {
      this.#busy = false;
    }
  }

  async #take(revision: number, value: Uint8Array): Promise<void> {
    const { take, log } = this.#options;
    this.#seen = revision;
    const { source } = this.state;
    const answer: ChangeAnswer =
      value.length > limits.configBytes
        ? refusedFor(`${source}: is larger than ${limits.configBytes} bytes`)
        : await take(Buffer.from(value).toString('utf8'), revision);
    if (answer.ok) {
      Object.assign(this.state, { revision, refused: null, taken: this.state.taken + 1 });
      this.#answer = this.#answerOf(revision, []);
      log.info(
        { revision, generation: answer.generation },
        `configuration reloaded (revision ${revision}), generation ${answer.generation}`,
      );
      return;
    }
    const problems = answer.problems.length === 0 ? [answer.message] : answer.problems;
    Object.assign(this.state, { refused: { revision, problems }, refusals: this.state.refusals + 1 });
    this.#answer = this.#answerOf(revision, problems);
    log.error({ revision, problems }, `revision ${revision} of ${source} was refused: ${answer.message}`);
  }

  #answerOf(revision: number, problems: readonly string[]): object {
    const { instance, generation } = this.#options;
    const result = problems.length === 0 ? 'taken' : 'refused';
    return { ...instance(), revision, generation: generation(), result, problems };
  }

  /** Reports each trouble once. */
  #report(trouble: string): void {
    if (this.#reported !== trouble) this.#options.log.warn({}, `${this.state.source}: ${trouble}`);
    this.#reported = trouble;
  }
}

function refusedFor(problem: string): ChangeAnswer {
  const message = 'the configuration has errors; the running one stays in force';
  return { ok: false, status: 422, message, problems: [problem] };
}
