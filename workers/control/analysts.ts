/**
 * The control thread's side of comparisons: it reads pairs from the rings of the shadow threads, passes them
 * to analysts, and writes their results to the book. It reads pairs only while an analyst is free, so the
 * rings are the queue: when they are full, shadow threads drop and count pairs. Nobody waits for a
 * comparison, so after a ring of the doorbell it waits for more pairs: waking threads costs more than
 * comparing. Nothing is started before the first pair.
 */
import type { CompareRules } from '../../core/compare/compare.js';
import type { BookRules, DiffBook } from '../../core/compare/diff-book.js';
import type { Comparison } from '../../core/compare/difference.js';
import { type Pair, PairFrames } from '../../core/compare/pair-port.js';
import { judgedStatus } from '../../core/compare/response.js';
import { limits } from '../../core/limits.js';
import {
  type MirrorPlan,
  mirrorsWithBaselines,
  type Plan,
  type ProtobufPlan,
  type RoutePlan,
  targetName,
} from '../../core/plan.js';
import { isErrorStatus } from '../../core/record/mirror-counters.js';
import { Redaction } from '../../core/redact.js';
import { Doorbell } from '../../core/ring/doorbell.js';
import { RingReader } from '../../core/ring/reader.js';
import type { EndpointBook } from '../../core/verdict/endpoint-book.js';
import { type AnalystBounds, AnalystPool } from './analyst-pool.js';

/** A parked reader checks its rings at this interval even if the doorbell did not ring. */
const parkMs = 1000;
/** Time in which pairs are gathered after the first one. */
const gatherMs = 50;

/** The mirror that a slot belongs to, and its rules of comparison. */
interface Subject {
  readonly route: string;
  readonly version: string;
  /** The version that answers twice, if the mirror has a baseline. */
  readonly baseline: string | null;
  readonly isBaseline: boolean;
  readonly bookRules: BookRules;
  readonly rules: CompareRules;
}

interface Subjected {
  readonly pair: Pair;
  readonly subject: Subject;
}

export class Analysts {
  readonly #readers: readonly RingReader[];
  readonly #doorbell: Doorbell;
  readonly #book: DiffBook;
  readonly #endpoints: EndpointBook;
  readonly #frames = new PairFrames(
    (pair) => this.#gather(pair),
    (slot, name) => this.#endpoints.counterOf(slot, this.#redaction.text(name)),
  );
  readonly #gathered = () => {
    this.#waiting = false;
    this.#pump();
  };
  readonly #isEmpty = () => this.#readers.every((reader) => reader.isEmpty());
  readonly #pool: AnalystPool;
  readonly #typesOf: (plan: Plan, route: RoutePlan) => ProtobufPlan | null;
  #subjects = new Map<number, Subject>();
  #redaction: Redaction;
  #busy = 0;
  /** Pairs that were read for the next task. */
  #batch: Subjected[] = [];
  #batchBytes = 0;
  /** The doorbell, or the timer that gathers pairs, will call `#pump`. */
  #waiting = false;
  #closed = false;

  constructor(
    rings: readonly SharedArrayBuffer[],
    doorbell: SharedArrayBuffer,
    book: DiffBook,
    endpoints: EndpointBook,
    plan: Plan,
    bounds: AnalystBounds = {},
    typesOf: (plan: Plan, route: RoutePlan) => ProtobufPlan | null = () => null,
  ) {
    this.#typesOf = typesOf;
    this.#pool = new AnalystPool(bounds);
    this.#readers = rings.map((ring) => new RingReader(ring));
    this.#doorbell = new Doorbell(doorbell);
    this.#book = book;
    this.#endpoints = endpoints;
    this.#redaction = new Redaction(plan.redact);
    this.apply(plan);
    this.#pump();
  }

  /**
   * `apply` sets the rules for pairs that are read from now on. It is called again when types have come by
   * reflection.
   */
  apply(plan: Plan): void {
    this.#redaction = new Redaction(plan.redact);
    const nameOf = (mirror: MirrorPlan): string => targetName(plan, mirror);
    for (const { mirrors } of plan.routes)
      for (const { slot, sink, compare } of mirrors)
        if (sink === null) this.#endpoints.follow(slot, compare.structure?.endpoints ?? []);
    this.#subjects = new Map(
      plan.routes.flatMap((route) =>
        mirrorsWithBaselines(route).flatMap(({ mirror, baselineOf }): [number, Subject][] => {
          const { structure } = mirror.compare;
          if (structure === null) return [];
          const asked = baselineOf === null ? structure.baseline : mirror;
          const baseline = asked === null ? null : nameOf(asked);
          const isBaseline = baselineOf !== null;
          const version = nameOf(baselineOf ?? mirror);
          const { baseline: _, reflection, ...given } = structure;
          const documents = reflection ? { ...given, protobuf: this.#typesOf(plan, route) } : given;
          const rules = { structure: documents, redact: plan.redact };
          const { endpoints, meant } = structure;
          const bookRules = { key: JSON.stringify(documents), endpoints, meant };
          if ((mirror.capture?.shareMillionths ?? 0) > 0) this.#book.follow(route.name, version, bookRules);
          return [[mirror.slot, { route: route.name, version, baseline, isBaseline, bookRules, rules }]];
        }),
      ),
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#pool.close();
  }

  /** `#pump` reads pairs while analysts are free, and parks when there are no pairs. */
  #pump(): void {
    while (this.#busy < this.#pool.threads && !this.#closed) {
      const batch = this.#takeBatch();
      if (batch.length === 0) break;
      this.#busy++;
      void this.#examine(batch).then(() => {
        this.#busy--;
        this.#pump();
      });
    }
    if (this.#waiting || this.#closed || this.#busy >= this.#pool.threads) return;
    this.#waiting = true;
    this.#doorbell.park(this.#isEmpty, parkMs, () => setTimeout(this.#gathered, gatherMs));
  }

  /** `#takeBatch` reads as many pairs as one task may have, from all rings in turn. */
  #takeBatch(): readonly Subjected[] {
    let came = true;
    while (came && this.#batchHasRoom()) {
      came = false;
      for (const reader of this.#readers) {
        if (this.#batchHasRoom() && reader.drain(this.#frames, 1) > 0) came = true;
      }
    }
    const batch = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    return batch;
  }

  #batchHasRoom(): boolean {
    return this.#batch.length < limits.analystPairs && this.#batchBytes < limits.analystPairBytes;
  }

  #gather(pair: Pair): void {
    const subject = this.#subjects.get(pair.slot);
    // The mirror has left the configuration, so its differences are not reported any more.
    if (subject === undefined) return;
    this.#batch.push({ pair, subject });
    this.#batchBytes += pair.bytes.byteLength;
  }

  async #examine(batch: readonly Subjected[]): Promise<void> {
    const comparisons = await this.#pool.compare(
      batch.map(({ pair: { target, primary, shadow }, subject: { rules } }) => ({
        rules,
        target,
        primary,
        shadow,
      })),
    );
    for (const [i, comparison] of comparisons.entries())
      this.#record(batch[i].pair, batch[i].subject, comparison);
  }

  #record(pair: Pair, subject: Subject, comparison: Comparison): void {
    const request = `${pair.method} ${this.#redaction.text(pair.target)}`.slice(0, limits.diffValueChars);
    const id = pair.id.slice(0, limits.diffValueChars);
    const { route, version, baseline, isBaseline, bookRules } = subject;
    const isError = isErrorStatus(judgedStatus(pair.primary)) || isErrorStatus(judgedStatus(pair.shadow));
    const about = { route, version, baseline, isBaseline, rules: bookRules, isError };
    this.#book.record({ ...about, id, request, atMs: pair.wallMs }, comparison);
  }
}
