/**
 * Runs the guards on the control thread: it reads the figures of primaries from shared memory, feeds each
 * route's guard with windows of them, and writes the guard's decisions where proxy threads read them. The
 * data plane gets no message.
 */
import { wallClockMs } from '../../core/clock.js';
import { blameOf, failureReasons } from '../../core/errors.js';
import { Guard, type GuardEvent, type GuardWindow } from '../../core/mirror/guard.js';
import type { HeldBack } from '../../core/mirror/held-back.js';
import { type GuardPlan, primaryNames, type RoutePlan } from '../../core/plan.js';
import { readVersion, subtractVersion, type VersionSnapshot } from '../../core/record/snapshot.js';
import type { Observed } from '../../core/report/observed.js';

const WHOLE_MILLIONTHS = 1_000_000;
const MILLIONTHS_PER_PERCENT = 10_000;

export interface GuardLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** The guard of one route, with its timer and the counts at the beginning of its window. */
interface Watch {
  readonly guard: Guard;
  /** `v1`, or several as `v1 + v3`. Other primaries need their own base line. */
  readonly primary: string;
  readonly timer: NodeJS.Timeout;
  before: VersionSnapshot | null;
}

export class GuardWatch {
  readonly #heldBack: HeldBack;
  readonly #log: GuardLog;
  #observed: Observed;
  /** Watches by route. */
  readonly #watches = new Map<string, Watch>();
  /** Wall clock since which a route's copies are held back. A new control thread counts from its start. */
  readonly #heldSinceMs = new Map<string, number>();

  constructor(observed: Observed, heldBack: HeldBack, log: GuardLog) {
    this.#observed = observed;
    this.#heldBack = heldBack;
    this.#log = log;
    this.apply(observed);
  }

  /** `apply` applies a plan. Guards whose settings did not change keep their base line. */
  apply(observed: Observed): void {
    this.#observed = observed;
    const { routes, versions } = observed.plan;
    for (const route of routes) {
      const primary = primaryNames(route, versions).join(' + ');
      const known = this.#watches.get(route.name);
      if (known !== undefined && known.primary === primary && sameGuard(known.guard.plan, route.guard)) {
        this.#apply(route, known.guard);
        continue;
      }
      this.#end(route.name);
      if (route.guard !== null && route.primaries.length > 0) this.#begin(route, route.guard, primary);
      else this.#apply(route, null);
    }
    const names = new Set(routes.map(({ name }) => name));
    for (const name of [...this.#watches.keys()]) if (!names.has(name)) this.#end(name);
  }

  /** `heldSinceMs` returns since when copies of a route are held back, as wall clock; null: none are. */
  heldSinceMs(route: string): number | null {
    return this.#heldSinceMs.get(route) ?? null;
  }

  stop(): void {
    for (const name of [...this.#watches.keys()]) this.#end(name);
  }

  #begin(route: RoutePlan, plan: GuardPlan, primary: string): void {
    const held = Math.max(0, ...route.mirrors.map(({ slot }) => this.#heldBack.of(slot)));
    const guard = new Guard(plan, WHOLE_MILLIONTHS - held);
    const timer = setInterval(() => this.#look(route.name), plan.windowMs);
    this.#watches.set(route.name, { guard, primary, timer, before: this.#read(route.name) });
    this.#apply(route, guard);
  }

  #end(name: string): void {
    const watch = this.#watches.get(name);
    if (watch === undefined) return;
    clearInterval(watch.timer);
    this.#watches.delete(name);
  }

  #look(name: string): void {
    const watch = this.#watches.get(name)!;
    const { before } = watch;
    const now = this.#read(name);
    watch.before = now;
    if (before === null || now === null) return;
    const { guard } = watch;
    const hadBase = guard.base !== null;
    const event = guard.take(windowOf(subtractVersion(now, before)));
    if (!hadBase && guard.base !== null) this.#tellBase(name, watch.primary, guard.base);
    if (event === null) return;
    const route = this.#observed.plan.routes.find((route) => route.name === name)!;
    this.#apply(route, guard);
    this.#report(route, watch, event);
  }

  /** `#read` returns the sum of the counts of all versions that answer on the route. */
  #read(routeName: string): VersionSnapshot | null {
    const { plan, versions } = this.#observed;
    const route = plan.routes.find(({ name }) => name === routeName);
    const names = route === undefined ? [] : primaryNames(route, plan.versions);
    const found = versions.filter(({ name, role }) => role === 'primary' && names.includes(name));
    return found.length === 0 ? null : readVersion(found.flatMap(({ counters }) => counters));
  }

  #apply(route: RoutePlan, guard: Guard | null): void {
    const heldBack = guard === null ? 0 : WHOLE_MILLIONTHS - guard.keptMillionths;
    for (const { slot } of route.mirrors) this.#heldBack.set(slot, heldBack);
    if (heldBack === 0) this.#heldSinceMs.delete(route.name);
    else if (!this.#heldSinceMs.has(route.name)) this.#heldSinceMs.set(route.name, wallClockMs());
  }

  #tellBase(route: string, primary: string, base: NonNullable<Guard['base']>): void {
    this.#log.info(
      { route, primary, baseP99Us: base.p99Us, baseErrorShare: base.errorShare },
      `guard: the base line of ${primary} is a p99 of ${base.p99Us} us and ${percent(base.errorShare)} errors; windows are now compared with it`,
    );
  }

  #report(route: RoutePlan, { guard, primary }: Watch, event: GuardEvent): void {
    const keptPercent = guard.keptMillionths / MILLIONTHS_PER_PERCENT;
    const fields = { route: route.name, primary, keptPercent };
    if (event.kind === 'recovering') {
      this.#log.info(fields, `guard: mirrors of ${route.name} send ${keptPercent} % of their copies again`);
    } else if (event.kind === 'unrelated') {
      this.#log.warn(
        fields,
        `guard: ${primary} is no better without copies, so they are not the cause; its current figures are the new base line`,
      );
    } else {
      const { window, because } = event;
      const base = guard.base!;
      const what =
        because === 'p99'
          ? `p99 ${window.p99Us} us against ${base.p99Us} us`
          : `${percent(window.errors / window.requests)} errors against ${percent(base.errorShare)}`;
      this.#log.warn(
        { ...fields, because, ...window, baseP99Us: base.p99Us, baseErrorShare: base.errorShare },
        `guard: ${primary} got worse (${what}): mirrors of ${route.name} are reduced to ${keptPercent} % of their copies`,
      );
    }
  }
}

/** `windowOf` converts the difference of two readings to a window of the guard. */
function windowOf(counts: VersionSnapshot): GuardWindow {
  let requests = counts.responsesOther;
  let errors = 0;
  for (const [code, count] of counts.responses) {
    requests += count;
    if (code >= 500) errors += count;
  }
  failureReasons.forEach((reason, i) => {
    if (blameOf(reason) === 'client') return;
    requests += counts.failures[i];
    errors += counts.failures[i];
  });
  return { requests, errors, p99Us: counts.latency.percentileUs(99) };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

function sameGuard(a: GuardPlan, b: GuardPlan | null): boolean {
  return (
    b !== null &&
    a.p99Millionths === b.p99Millionths &&
    a.errorMillionths === b.errorMillionths &&
    a.windowMs === b.windowMs &&
    a.recoverMs === b.recoverMs
  );
}
