/**
 * Descriptors by server reflection, for mirrors with `descriptors: reflection`. Each primary that one of them
 * needs is asked at the start and after every reload, and again after a failure, later each time. Until there
 * are some, messages are compared by field number; after a failed renewal the earlier ones stay in use.
 * Control thread only.
 */
import { describedBy } from '../../config/described.js';
import { nowUs } from '../../core/clock.js';
import { type Plan, type ProtobufPlan, primaryNames } from '../../core/plan.js';
import { Descriptors } from '../../core/protobuf/descriptors.js';
import { uncounted } from '../../core/upstream/prober.js';
import { UpstreamResources } from '../../core/upstream/resources.js';
import type { Targets } from '../../core/upstream/target.js';
import { reflectedTypes } from './reflection-call.js';

/** The pause after a failure, doubled from one to the next. */
const restMs = { first: 1000, max: 300_000 };

export interface ReflectionsHome {
  readonly log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
  };
  /** Types have come or have changed. */
  changed(): void;
}

/** The version that is asked for the types of a route. */
export function reflectedVersion(plan: Plan, route: Plan['routes'][number]): string {
  return primaryNames(route, plan.versions)[0];
}

export class Reflections {
  readonly #home: ReflectionsHome;
  readonly #resources = new UpstreamResources(nowUs, uncounted);
  readonly #sets = new Map<string, ProtobufPlan>();
  /** The number of the plan in force: an answer to an earlier one does not count. */
  #round = 0;
  #timers = new Set<NodeJS.Timeout>();

  constructor(home: ReflectionsHome) {
    this.#home = home;
  }

  /** The types of a version, or null while there are none. */
  of(version: string): ProtobufPlan | null {
    return this.#sets.get(version) ?? null;
  }

  apply(plan: Plan, targets: Targets): void {
    this.stop();
    const wanted = new Set(
      plan.routes
        .filter(({ mirrors }) => mirrors.some(({ compare }) => compare.structure?.reflection === true))
        .map((route) => reflectedVersion(plan, route)),
    );
    for (const name of this.#sets.keys()) if (!wanted.has(name)) this.#sets.delete(name);
    for (const name of wanted) void this.#ask(plan, targets, name, this.#round, restMs.first);
  }

  stop(): void {
    this.#round++;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  async #ask(plan: Plan, targets: Targets, name: string, round: number, pauseMs: number): Promise<void> {
    const { log } = this.#home;
    const version = plan.versions.find((one) => one.name === name)!;
    try {
      const bytes = await reflectedTypes(version, targets.get(name) ?? [], this.#resources);
      if (round !== this.#round) return;
      const methods = Descriptors.read(bytes).methodNames.length;
      const set = describedBy(bytes);
      if (this.#sets.get(name)?.digest === set.digest) return;
      this.#sets.set(name, set);
      log.info(
        { version: name, methods },
        `descriptors of ${name} were read by reflection: ${methods} methods`,
      );
      this.#home.changed();
    } catch (error) {
      if (round !== this.#round) return;
      const why = (error as Error).message;
      const meanwhile = this.#sets.has(name)
        ? 'the earlier ones stay in use'
        : 'fields of its messages have numbers until then';
      log.warn(
        { version: name, why },
        `descriptors of ${name} can't be read by reflection: ${why}; asked again in ${pauseMs / 1000} s, ${meanwhile}`,
      );
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        void this.#ask(plan, targets, name, round, Math.min(2 * pauseMs, restMs.max));
      }, pauseMs).unref();
      this.#timers.add(timer);
    }
  }
}
