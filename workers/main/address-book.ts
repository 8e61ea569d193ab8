/**
 * Where the endpoints of the running plan are: main resolves their names on behalf of every thread, again and again, and
 * tells what changed. No other thread ever looks a name up, so a slow resolver can't hold a request.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { limits } from '../../core/limits.js';
import type { EndpointPlan, Plan } from '../../core/plan.js';
import { HealthBlock } from '../../core/upstream/health-block.js';
import { ResolvedName } from '../../core/upstream/resolved-name.js';
import type { Target, Targets } from '../../core/upstream/target.js';

/** IP addresses of a name. Rejects where there are none. */
export type Lookup = (name: string) => Promise<readonly string[]>;

export interface AddressBookEvents {
  /** A name has other addresses than before: `targets` is new. Not called for what `follow` finds while it is awaited. */
  onChange(): void;
  onLog(level: 'info' | 'warn', message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** One name that is resolved anew from time to time. */
interface Entry {
  readonly resolved: ResolvedName;
  refreshMs: number;
  timer: NodeJS.Timeout | null;
  /** The lookup that is under way or waits for its turn. */
  lookup: Promise<void> | null;
}

export class AddressBook {
  readonly #lookup: Lookup;
  readonly #events: AddressBookEvents;
  readonly #entries = new Map<string, Entry>();
  /** By version, endpoint and address. */
  #health = new Map<string, SharedArrayBuffer>();
  #plan: Plan | null = null;
  #targets: Targets = new Map();
  #following = 0;
  #lookupsUnderWay = 0;
  #turns: (() => void)[] = [];

  constructor(events: AddressBookEvents, lookup: Lookup = lookUp) {
    this.#events = events;
    this.#lookup = lookup;
  }

  get targets(): Targets {
    return this.#targets;
  }

  /** Every name that is resolved. */
  get names(): readonly { readonly name: string; readonly shared: SharedArrayBuffer }[] {
    return [...this.#entries.values()].map(({ resolved: { name, shared } }) => ({ name, shared }));
  }

  /**
   * The plan is about to be taken: resolves when every name that is new was looked up once, or after `limits.firstLookupMs`.
   * A name that has not resolved by then has no addresses, and gets them when it does.
   */
  async follow(plan: Plan): Promise<void> {
    this.#plan = plan;
    const wanted = refreshOf(plan);
    for (const [name, entry] of this.#entries) {
      if (wanted.has(name)) continue;
      if (entry.timer !== null) clearTimeout(entry.timer);
      this.#entries.delete(name);
    }
    const firsts: Promise<void>[] = [];
    for (const [name, refreshMs] of wanted) {
      const known = this.#entries.get(name);
      if (known !== undefined) {
        known.refreshMs = refreshMs;
        if (known.lookup === null) this.#schedule(known);
        if (known.resolved.addresses.length === 0 && known.lookup !== null) firsts.push(known.lookup);
        continue;
      }
      const entry: Entry = { resolved: new ResolvedName(name), refreshMs, timer: null, lookup: null };
      this.#entries.set(name, entry);
      firsts.push(this.#resolve(entry));
    }
    this.#following++;
    await within(Promise.all(firsts), limits.firstLookupMs);
    this.#following--;
    this.#targets = this.#locate();
  }

  /** Looks nothing up any more. */
  stop(): void {
    for (const { timer } of this.#entries.values()) if (timer !== null) clearTimeout(timer);
    this.#entries.clear();
  }

  #resolve(entry: Entry): Promise<void> {
    entry.timer = null;
    entry.lookup = this.#inTurn(() => this.#lookup(entry.resolved.name))
      .then(
        (addresses) => this.#found(entry, addresses),
        (error: NodeJS.ErrnoException) => this.#failed(entry, error.code ?? error.message),
      )
      .finally(() => {
        entry.lookup = null;
        if (this.#entries.get(entry.resolved.name) === entry) this.#schedule(entry);
      });
    return entry.lookup;
  }

  #schedule(entry: Entry): void {
    if (entry.timer !== null) clearTimeout(entry.timer);
    entry.timer = setTimeout(() => void this.#resolve(entry), entry.refreshMs);
    entry.timer.unref();
  }

  #found(entry: Entry, addresses: readonly string[]): void {
    const { resolved } = entry;
    const before = resolved.addresses;
    if (addresses.length === 0) {
      this.#failed(entry, 'no address');
      return;
    }
    if (addresses.length > limits.addressesPerName) {
      const message = `${resolved.name} has more than ${limits.addressesPerName} addresses; the others are not used`;
      this.#events.onLog('warn', message, { name: resolved.name, addresses: addresses.length });
    }
    if (!resolved.found(addresses) || this.#entries.get(resolved.name) !== entry) return;
    const fields = { name: resolved.name, addresses: resolved.addresses, before };
    this.#events.onLog('info', `${resolved.name} resolves to ${resolved.addresses.join(', ')}`, fields);
    // While `follow` is awaited its caller takes the new targets itself.
    if (this.#following > 0) return;
    this.#targets = this.#locate();
    this.#events.onChange();
  }

  #failed({ resolved }: Entry, error: string): void {
    resolved.failed();
    if (resolved.failuresInARow > 1) return;
    const stands =
      resolved.addresses.length > 0
        ? `${resolved.addresses.join(', ')} stays in use`
        : 'requests that need it fail until it does';
    const message = `${resolved.name} does not resolve (${error}); ${stands}`;
    this.#events.onLog('warn', message, { name: resolved.name, error });
  }

  /** A few lookups at once: each holds a thread of libuv's pool while the system's resolver waits for an answer. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#lookupsUnderWay >= limits.lookups) {
      await new Promise<void>((resolve) => this.#turns.push(resolve));
    } else {
      this.#lookupsUnderWay++;
    }
    try {
      return await work();
    } finally {
      const next = this.#turns.shift();
      if (next === undefined) this.#lookupsUnderWay--;
      else next();
    }
  }

  /** The targets of the plan by what is known now; what was there before keeps its health. */
  #locate(): Targets {
    const health = new Map<string, SharedArrayBuffer>();
    const targets = new Map<string, readonly Target[]>();
    for (const version of this.#plan!.versions) {
      const ofVersion = version.endpoints.flatMap((endpoint) => this.#at(endpoint));
      targets.set(
        version.name,
        ofVersion.map((target): Target => {
          if (version.health === null) return target;
          const key = JSON.stringify([version.name, target.endpoint, target.address]);
          const block = this.#health.get(key) ?? health.get(key) ?? HealthBlock.create();
          health.set(key, block);
          return { ...target, health: block };
        }),
      );
    }
    this.#health = health;
    return targets;
  }

  #at(endpoint: EndpointPlan): Target[] {
    const { address } = endpoint;
    const name = nameOf(endpoint);
    if (name === null || address.kind === 'unix') return [{ endpoint, address, health: null }];
    return this.#entries
      .get(name)!
      .resolved.addresses.map((host) => ({ endpoint, address: { ...address, host }, health: null }));
  }
}

/** Null where nothing needs to be looked up. */
function nameOf({ address }: EndpointPlan): string | null {
  return address.kind === 'unix' || isIP(address.host) !== 0 ? null : address.host;
}

/** The names of a plan, each with the shortest time after which one of its versions wants it resolved anew. */
function refreshOf(plan: Plan): Map<string, number> {
  const names = new Map<string, number>();
  for (const version of plan.versions) {
    for (const endpoint of version.endpoints) {
      const name = nameOf(endpoint);
      if (name === null) continue;
      names.set(name, Math.min(names.get(name) ?? version.dnsRefreshMs, version.dnsRefreshMs));
    }
  }
  return names;
}

/** As the system resolves names for everybody: hosts file, DNS, whatever nsswitch says. */
async function lookUp(name: string): Promise<readonly string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}

async function within(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, tooLate]);
  clearTimeout(timer);
}
