/**
 * Compares the contents of responses of a replay as a live mirror does: by the same analysts and rules, into
 * a book of differences. Pairs wait in memory, up to a bound.
 */
import { wallClockMs } from '../../core/clock.js';
import type { CompareRules } from '../../core/compare/compare.js';
import { type BookRules, DiffBook, type Diffs } from '../../core/compare/diff-book.js';
import type { PairSide } from '../../core/compare/pair-port.js';
import { judgedStatus } from '../../core/compare/response.js';
import { limits } from '../../core/limits.js';
import type { Plan } from '../../core/plan.js';
import { isErrorStatus } from '../../core/record/mirror-counters.js';
import { methodOf, type ResponseContent } from '../../core/recording/recorded.js';
import { Redactor } from '../../core/recording/redactor.js';
import { Redaction, redacted } from '../../core/redact.js';
import type { ResponsePair, ResponsePairs } from '../../core/replay/response-pairs.js';
import { AnalystPool } from '../control/analyst-pool.js';

const STATUS_DIGITS = 3;

interface WaitingPair {
  readonly id: string;
  readonly isBaseline: boolean;
  readonly request: string;
  readonly target: string;
  readonly atMs: number;
  readonly primary: PairSide;
  readonly shadow: PairSide;
  readonly bytes: number;
}

export class PairAnalysts implements ResponsePairs {
  readonly #plan: Plan;
  readonly #rules: CompareRules;
  readonly #bookRules: BookRules;
  readonly #baseline: string | null;
  readonly #book = new DiffBook(limits.replayWaiting);
  readonly #pool = new AnalystPool();
  readonly #redaction: Redaction;
  readonly #redactor: Redactor;
  #waiting: WaitingPair[] = [];
  #waitingBytes = 0;
  #busy = 0;
  #gathering = false;
  #whenIdle: (() => void)[] = [];

  /**
   * `plan`: one route with one mirror that compares. `hasBaseline`: the primary's version is asked for noise.
   */
  constructor(plan: Plan, hasBaseline: boolean) {
    this.#plan = plan;
    const { baseline: _, ...structure } = plan.routes[0].mirrors[0].compare.structure!;
    this.#rules = { structure, redact: plan.redact };
    const { endpoints, meant } = structure;
    this.#bookRules = { key: JSON.stringify(structure), endpoints, meant };
    this.#book.follow(plan.routes[0].name, plan.versions[1].name, this.#bookRules);
    this.#baseline = hasBaseline ? plan.versions[0].name : null;
    this.#redaction = new Redaction(plan.redact);
    this.#redactor = new Redactor(plan.redact);
  }

  take({ number, request, isBaseline, primary, shadow }: ResponsePair): boolean {
    const [a, b] = this.#alike(primary.content!, shadow.content!);
    const bytes = a.body.byteLength + b.body.byteLength + a.head.length + b.head.length;
    if (this.#waitingBytes + bytes > limits.replayPairBytes) return false;
    this.#waitingBytes += bytes;
    this.#waiting.push({
      id: String(number),
      isBaseline,
      request: `${methodOf(request)} ${this.#redaction.text(request.target)}`.slice(0, limits.diffValueChars),
      target: request.target,
      atMs: wallClockMs(),
      primary: sideOf(a),
      shadow: sideOf(b),
      bytes,
    });
    if (!this.#gathering) {
      this.#gathering = true;
      setImmediate(() => {
        this.#gathering = false;
        this.#pump();
      });
    }
    return true;
  }

  diffs(): Diffs {
    return this.#book.read();
  }

  /** Resolves when every pair that was taken is compared. */
  async idle(): Promise<void> {
    while (this.#waiting.length > 0 || this.#busy > 0)
      await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  async close(): Promise<void> {
    this.#waiting = [];
    await this.#pool.close();
  }

  #pump(): void {
    while (this.#busy < this.#pool.threads && this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, limits.analystPairs);
      this.#busy++;
      void this.#examine(batch).then(() => {
        this.#busy--;
        for (const { bytes } of batch) this.#waitingBytes -= bytes;
        this.#pump();
        for (const resolve of this.#whenIdle.splice(0)) resolve();
      });
    }
  }

  async #examine(batch: readonly WaitingPair[]): Promise<void> {
    const rules = this.#rules;
    const comparisons = await this.#pool.compare(
      batch.map(({ target, primary, shadow }) => ({ rules, target, primary, shadow })),
    );
    const route = this.#plan.routes[0].name;
    const version = this.#plan.versions[1].name;
    for (const [i, comparison] of comparisons.entries()) {
      const { id, isBaseline, request, atMs, primary, shadow } = batch[i];
      const isError = isErrorStatus(judgedStatus(primary)) || isErrorStatus(judgedStatus(shadow));
      const about = { route, version, baseline: this.#baseline, isBaseline, rules: this.#bookRules, isError };
      this.#book.record({ ...about, id, request, atMs }, comparison);
    }
  }

  /** What a recording hides is hidden in the other response too, or every secret would be a difference. */
  #alike(primary: ResponseContent, shadow: ResponseContent): [ResponseContent, ResponseContent] {
    if (!primary.head.includes(redacted) && !primary.body.includes(redacted)) return [primary, shadow];
    return [this.#redact(primary), this.#redact(shadow)];
  }

  #redact(content: ResponseContent): ResponseContent {
    const statusEnd = content.head.indexOf('\r\n') + 2;
    const { fields, body } = this.#redactor.message(
      content.head.slice(statusEnd),
      [content.body],
      content.body.byteLength,
    );
    return { ...content, head: content.head.slice(0, statusEnd) + fields, body: Buffer.concat(body) };
  }
}

/** The side has bytes of its own. `Buffer.from` of a buffer would take twice as long to copy it. */
function sideOf({ head, body, truncated }: ResponseContent): PairSide {
  const status = Number(head.slice(0, STATUS_DIGITS));
  const copy = Buffer.allocUnsafe(body.byteLength);
  copy.set(body);
  return { status, head: Buffer.from(head, 'latin1'), body: copy, truncated };
}
