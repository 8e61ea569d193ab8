/**
 * The sink thread: drains its rings of all proxy threads and puts each copy into the sink of its mirror. Entry point of the
 * thread; what it does per frame is in core/sink, and what a recording does in core/recording.
 */
import { randomBytes, randomFillSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { nowUs, wallClockMs } from '../core/clock.js';
import { MirrorBounds } from '../core/mirror/bounds.js';
import { FullSlots } from '../core/mirror/full-slots.js';
import type { Plan, SinkPlan } from '../core/plan.js';
import { MirrorLedger } from '../core/record/mirror-ledger.js';
import { FileSink } from '../core/recording/file-sink.js';
import { Redactor } from '../core/recording/redactor.js';
import { Doorbell } from '../core/ring/doorbell.js';
import { RingReader } from '../core/ring/reader.js';
import { seededRandom } from '../core/route/random.js';
import { SinkReceiver } from '../core/sink/receiver.js';
import { SinkMirror, type SinkRuntime } from '../core/sink/sink-mirror.js';
import type { Targets } from '../core/upstream/target.js';
import type { LedgerShares, ThreadStart } from './messages.js';
import { yieldToProxyThreads } from './priority.js';
import { type DataThread, runThread, say } from './thread.js';

/** Frames taken from one ring before files get their turn. */
const framesPerTurn = 256;
/** A parked thread looks around this often although nothing rang. */
const parkMs = 1000;
/** And this often while outcomes may come, which do not ring. */
const outcomesMs = 50;
/** How often a draining thread looks whether it is done. */
const drainCheckMs = 10;

class SinkThread implements DataThread {
  readonly #doorbell: Doorbell;
  readonly #receiver: SinkReceiver;
  readonly #bounds: MirrorBounds[] = [];
  readonly #fullSlots: FullSlots;
  readonly #random = seededRandom(randomFillSync(new Uint32Array(4)));
  readonly #isEmpty = () => this.#receiver.isEmpty();
  readonly #pump = () => this.#turn();
  /** By directory. */
  #sinks = new Map<string, FileSink>();
  /** Of plans before; closed when no frame can name them any more. */
  #left: FileSink[] = [];

  constructor(start: ThreadStart) {
    this.#doorbell = new Doorbell(start.doorbells[0]);
    this.#fullSlots = new FullSlots(start.fullSlots[0]);
    this.#fullSlots.clear();
    this.#receiver = new SinkReceiver(
      start.rings.map((ring) => new RingReader(ring)),
      nowUs,
    );
    this.#receiver.use(this.#compile(start.plan, start.ledgers));
    this.#turn();
    say({ type: 'ready', descriptors: [] });
  }

  take(plan: Plan, _targets: Targets, ledgers: LedgerShares): void {
    this.#receiver.use(this.#compile(plan, ledgers));
    say({ type: 'planTaken', generation: plan.generation });
  }

  /** Sinks have no endpoints. */
  move(): void {}

  retire(belowGeneration: number): void {
    this.#receiver.retire(belowGeneration);
    for (const sink of this.#left.splice(0)) void sink.close();
  }

  /** The proxy threads are gone: writes what is in the rings, and gives up what will not be whole. */
  drain(withinMs: number): void {
    const deadlineUs = nowUs() + withinMs * 1000;
    const check = (): void => {
      if (this.#receiver.isEmpty() && this.#receiver.inFlight === 0) {
        void this.#close().then(() => say({ type: 'drained' }));
        return;
      }
      if (nowUs() >= deadlineUs) {
        this.#receiver.refuseNew();
        this.#receiver.giveUpGathering();
      }
      setTimeout(check, drainCheckMs);
    };
    check();
  }

  leave(): void {
    void this.#close().then(() => process.exit(0));
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#sinks.values(), ...this.#left].map((sink) => sink.close()));
  }

  #turn(): void {
    if (this.#receiver.drain(framesPerTurn) > 0) {
      setImmediate(this.#pump);
      return;
    }
    for (const sink of this.#sinks.values()) sink.flush();
    this.#doorbell.park(this.#isEmpty, this.#receiver.awaitsOutcomes ? outcomesMs : parkMs, this.#pump);
  }

  #compile(plan: Plan, shares: LedgerShares): SinkRuntime {
    const redactor = new Redactor(plan.redact);
    const before = this.#sinks;
    this.#sinks = new Map();
    const ledgers = shares.mirrors.map((shared) =>
      shared === undefined ? undefined : new MirrorLedger(shared),
    );
    const mirrors: SinkMirror[] = [];
    for (const route of plan.routes) {
      for (const mirror of route.mirrors) {
        if (mirror.sink === null) continue;
        this.#bounds[mirror.slot] ??= new MirrorBounds(mirror.slot, this.#fullSlots);
        const bounds = this.#bounds[mirror.slot];
        bounds.follow(mirror, 1);
        const sink = this.#sinkFor(mirror.sink, redactor, before);
        const ledger = ledgers[mirror.slot]!;
        mirrors[mirror.slot] = new SinkMirror(mirror, route.name, ledger, bounds, sink, this.#random);
      }
    }
    for (const [directory, sink] of before) if (!this.#sinks.has(directory)) this.#left.push(sink);
    return { generation: plan.generation, mirrors, ledgers };
  }

  /** One for each directory, which lives on while plans name it. */
  #sinkFor(plan: SinkPlan, redactor: Redactor, before: ReadonlyMap<string, FileSink>): FileSink {
    const { directory } = plan;
    const known = this.#sinks.get(directory) ?? before.get(directory);
    known?.follow(plan, redactor);
    const sink =
      known ??
      new FileSink(plan, redactor, {
        clock: nowUs,
        wallClockMs,
        randomBytes: () => randomBytes(16),
        software: `umbra/${packageVersion()}`,
        onState: (trouble) => tellState(plan.name, trouble),
      });
    this.#sinks.set(directory, sink);
    return sink;
  }
}

function tellState(name: string, trouble: Error | null): void {
  if (trouble === null)
    say({ type: 'log', level: 'info', message: `recording to ${name} goes on`, fields: {} });
  else {
    const message = `recording to ${name} has stopped: ${trouble.message}; copies are dropped and counted`;
    say({ type: 'log', level: 'error', message, fields: {} });
  }
}

/** `package.json` is two levels up from `dist/workers/`. */
function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

runThread((start) => {
  yieldToProxyThreads(start.plan.threads.nice);
  return new SinkThread(start);
});
