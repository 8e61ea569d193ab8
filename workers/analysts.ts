/**
 * The control thread's side of comparing: takes pairs from the rings of the shadow threads, has analysts take them
 * apart, and writes what they found into the book. A pair is taken only when an analyst is free, so the rings are the
 * queue: when they are full, shadow threads drop and count. Nothing is started before the first pair comes.
 */
import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import { notComparedAtAll } from '../core/compare/compare.js';
import type { DiffBook } from '../core/compare/diff-book.js';
import type { Comparison } from '../core/compare/difference.js';
import { type Pair, PairFrames } from '../core/compare/pair-port.js';
import { limits } from '../core/limits.js';
import { type MirrorPlan, mirrorsWithBaselines, type Plan, type StructurePlan } from '../core/plan.js';
import { Redaction } from '../core/redact.js';
import { Doorbell } from '../core/ring/doorbell.js';
import { RingReader } from '../core/ring/reader.js';
import type { AnalystTask } from './analyst.js';

/** A parked reader looks around this often although nothing rang. */
const parkMs = 1000;
/** An analyst without work ends after this long. */
const idleMs = 30_000;
const coresPerAnalyst = 4;

/** Whose pairs a slot carries, and by which rules they are compared. */
interface Subject {
  readonly route: string;
  readonly version: string;
  readonly baseline: string | null;
  readonly structure: StructurePlan;
}

export class Analysts {
  readonly #readers: readonly RingReader[];
  readonly #doorbell: Doorbell;
  readonly #book: DiffBook;
  readonly #frames = new PairFrames((pair) => this.#examine(pair));
  readonly #isEmpty = () => this.#readers.every((reader) => reader.isEmpty());
  readonly #threads = Math.max(
    1,
    Math.min(limits.analysts, Math.floor(availableParallelism() / coresPerAnalyst)),
  );
  readonly #timeMs: number;
  readonly #heapMb: number;
  #pool: Piscina<AnalystTask, Comparison> | null = null;
  #subjects = new Map<number, Subject>();
  #redaction: Redaction;
  #plan: Plan;
  #busy = 0;
  #parked = false;
  #closed = false;

  constructor(
    rings: readonly SharedArrayBuffer[],
    doorbell: SharedArrayBuffer,
    book: DiffBook,
    plan: Plan,
    { timeMs = limits.analystMs as number, heapMb = limits.analystHeapMb as number } = {},
  ) {
    this.#timeMs = timeMs;
    this.#heapMb = heapMb;
    this.#readers = rings.map((ring) => new RingReader(ring));
    this.#doorbell = new Doorbell(doorbell);
    this.#book = book;
    this.#plan = plan;
    this.#redaction = new Redaction(plan.redact);
    this.follow(plan);
    this.#pump();
  }

  /** Pairs that are taken from now on are compared by the rules of `plan`. */
  follow(plan: Plan): void {
    this.#plan = plan;
    this.#redaction = new Redaction(plan.redact);
    const nameOf = (mirror: MirrorPlan): string => plan.versions[mirror.to].name;
    this.#subjects = new Map(
      plan.routes.flatMap((route) =>
        mirrorsWithBaselines(route).flatMap(({ mirror, baselineOf }): [number, Subject][] => {
          const { structure } = mirror.compare;
          if (structure === null) return [];
          const baseline = baselineOf === null ? null : nameOf(mirror);
          return [
            [mirror.slot, { route: route.name, version: nameOf(baselineOf ?? mirror), baseline, structure }],
          ];
        }),
      ),
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#pool?.destroy();
  }

  /** Takes pairs while analysts are free, and parks when there is none. */
  #pump(): void {
    let came = true;
    while (came && this.#busy < this.#threads && !this.#closed) {
      came = false;
      for (const reader of this.#readers) {
        if (this.#busy < this.#threads && reader.drain(this.#frames, 1) > 0) came = true;
      }
    }
    if (this.#parked || this.#closed || this.#busy >= this.#threads) return;
    this.#parked = true;
    this.#doorbell.park(this.#isEmpty, parkMs, () => {
      this.#parked = false;
      this.#pump();
    });
  }

  #examine(pair: Pair): void {
    const subject = this.#subjects.get(pair.slot);
    // Its mirror has left the configuration, and nobody asks for its differences any more.
    if (subject === undefined) return;
    this.#busy++;
    void this.#compare(pair, subject).then((comparison) => {
      this.#busy--;
      if (comparison !== null) this.#record(pair, subject, comparison);
      if (!this.#closed) this.#pump();
    });
  }

  /** Null: umbra is stopping. */
  async #compare(pair: Pair, { structure }: Subject): Promise<Comparison | null> {
    const { ignoreHeaders, ignorePaths, tolerance, arrays } = structure;
    const rules = { structure: { ignoreHeaders, ignorePaths, tolerance, arrays }, redact: this.#plan.redact };
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), this.#timeMs);
    try {
      const task = { rules, primary: pair.primary, shadow: pair.shadow };
      return await this.#open().run(task, { transferList: [pair.bytes], signal: abort.signal });
    } catch {
      if (this.#closed) return null;
      return notComparedAtAll(abort.signal.aborted ? 'timeout' : 'failed');
    } finally {
      clearTimeout(timer);
    }
  }

  #record(pair: Pair, { route, version, baseline }: Subject, comparison: Comparison): void {
    const request = `${pair.method} ${this.#redaction.target(pair.target)}`.slice(0, limits.diffValueChars);
    const id = pair.id.slice(0, limits.diffValueChars);
    this.#book.record({ route, version, baseline, id, request, atMs: pair.wallMs }, comparison);
  }

  #open(): Piscina<AnalystTask, Comparison> {
    if (this.#pool !== null) return this.#pool;
    const pool = new Piscina<AnalystTask, Comparison>({
      filename: new URL('./analyst.js', import.meta.url).href,
      // What the process was started with (a profiler, a loader) is not meant for analysts, nor has their heap room for it.
      execArgv: [],
      env: { ...process.env, NODE_OPTIONS: '' },
      minThreads: 0,
      maxThreads: this.#threads,
      idleTimeout: idleMs,
      recordTiming: false,
      resourceLimits: { maxOldGenerationSizeMb: this.#heapMb },
    });
    // A thread of the pool that dies beside a task is replaced by the pool; the task's own failure is its promise's.
    pool.on('error', () => {});
    this.#pool = pool;
    return pool;
  }
}
