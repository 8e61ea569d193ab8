/**
 * A plan comes to a data-plane thread in parts. To take a thousand routes out of one message costs tens of
 * milliseconds in which no request of the thread gets on, so main sends a few at a time, and the next ones
 * when they were taken.
 */
import type { Plan, RoutePlan } from '../../core/plan.js';
import type { CountersShares, NewCounters, ThreadStart, ToThread } from './messages.js';

/** Routes, or counters, of one part: under a millisecond's work. */
export const perPart = 32;

type Part = Extract<ToThread, { type: 'part' }>;

/** Main's side: the parts of `plan` for a thread that is to get `counters`. */
export function partsOf({ generation, routes }: Plan, { versions, mirrors, releases }: NewCounters): Part[] {
  const count = Math.max(routes.length, versions.length, mirrors.length, releases.length);
  const parts: Part[] = [];
  for (let from = 0; from < count; from += perPart) {
    const some = <T>(all: readonly T[]): T[] => all.slice(from, from + perPart);
    parts.push({
      type: 'part',
      generation,
      routes: some(routes),
      counters: { versions: some(versions), mirrors: some(mirrors), releases: some(releases) },
    });
  }
  return parts;
}

/** The thread's side. */
export class PlanParts {
  /** The plan that the thread began with, or a newer one. */
  #generation: number;
  #routes: RoutePlan[] = [];
  /** By name. */
  readonly #versions = new Map<string, SharedArrayBuffer>();
  /** By slot. */
  readonly #mirrors: (SharedArrayBuffer | undefined)[] = [];
  /** By `releaseKey`. */
  readonly #releases = new Map<string, SharedArrayBuffer>();

  constructor({ plan, counters }: ThreadStart) {
    this.#generation = plan.generation;
    for (const [index, shared] of counters.versions.entries())
      if (shared !== undefined) this.#versions.set(plan.versions[index].name, shared);
    for (const [slot, shared] of counters.mirrors.entries()) this.#mirrors[slot] = shared;
    for (const [key, shared] of counters.releases) this.#releases.set(key, shared);
  }

  add({ generation, routes, counters }: Part): void {
    for (const [name, shared] of counters.versions) this.#versions.set(name, shared);
    for (const [slot, shared] of counters.mirrors) this.#mirrors[slot] = shared;
    for (const [key, shared] of counters.releases) this.#releases.set(key, shared);
    if (generation > this.#generation) this.#routes.push(...routes);
  }

  /** The plan with the routes that came for it; null where the thread, started meanwhile, began with it. */
  whole(plan: Plan): Plan | null {
    const routes = this.#routes;
    this.#routes = [];
    if (plan.generation <= this.#generation) return null;
    this.#generation = plan.generation;
    return { ...plan, routes };
  }

  countersFor(plan: Plan): CountersShares {
    return {
      versions: plan.versions.map(({ name }) => this.#versions.get(name)),
      mirrors: this.#mirrors,
      releases: this.#releases,
    };
  }
}
