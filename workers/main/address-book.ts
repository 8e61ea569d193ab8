/**
 * The addresses of the endpoints of the running plan. Main resolves their names for all threads at intervals,
 * and reports changes. No other thread looks up names, so a slow resolver can't delay a request.
 */
import { isIP } from 'node:net';
import { limits } from '../../core/limits.js';
import type { EndpointPlan, Plan } from '../../core/plan.js';
import { HealthBlock } from '../../core/upstream/health-block.js';
import { ResolvedName } from '../../core/upstream/resolved-name.js';
import type { Target, Targets } from '../../core/upstream/target.js';
import { type Lookup, type NameRole, Resolver } from './resolver.js';

export interface AddressBookEvents {
  /** A name has other addresses, and `targets` is new. Not called for names that `apply` looks up first. */
  onChange(): void;
  onLog(level: 'info' | 'warn', message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** What a plan requires of one name. */
interface Wanted {
  readonly refreshMs: number;
  readonly role: NameRole;
}

/** One name that is resolved again at intervals. */
interface Entry {
  readonly resolved: ResolvedName;
  wanted: Wanted;
  timer: NodeJS.Timeout | null;
  /** A lookup runs or is queued. */
  isBusy: boolean;
}

export class AddressBook {
  readonly #resolver: Resolver | null;
  readonly #lookup: Lookup;
  readonly #events: AddressBookEvents;
  readonly #entries = new Map<string, Entry>();
  /** Health blocks by version, endpoint and address. */
  #health = new Map<string, SharedArrayBuffer>();
  /** The plan that `targets` belongs to; null before the first one. */
  #plan: Plan | null = null;
  #targets: Targets = new Map();

  /** `lookup` looks names up; the default is a process of its own. */
  constructor(events: AddressBookEvents, lookup?: Lookup) {
    this.#events = events;
    this.#resolver = lookup === undefined ? new Resolver() : null;
    this.#lookup = lookup ?? this.#resolver!.lookUp;
  }

  get targets(): Targets {
    return this.#targets;
  }

  /** Every name that is resolved. */
  get names(): readonly { readonly name: string; readonly shared: SharedArrayBuffer }[] {
    return [...this.#entries.values()].map(({ resolved: { name, shared } }) => ({ name, shared }));
  }

  /**
   * `apply` prepares the targets of `plan`. It resolves when every new name was looked up once, or after
   * `limits.firstLookupMs`. A name that has not resolved by then has no addresses until it does. Until then,
   * the previous plan stays in use.
   */
  async apply(plan: Plan): Promise<void> {
    const wanted = wantedOf(plan);
    const firsts: Promise<void>[] = [];
    for (const [name, want] of wanted) {
      const known = this.#entries.get(name);
      if (known !== undefined) {
        known.wanted = want;
        if (!known.isBusy) this.#schedule(known);
        continue;
      }
      const entry: Entry = { resolved: new ResolvedName(name), wanted: want, timer: null, isBusy: false };
      this.#entries.set(name, entry);
      firsts.push(this.#resolve(entry));
    }
    await within(Promise.all(firsts), limits.firstLookupMs);
    this.#plan = plan;
    for (const [name, entry] of this.#entries) {
      if (wanted.has(name)) continue;
      if (entry.timer !== null) clearTimeout(entry.timer);
      this.#entries.delete(name);
    }
    this.#targets = this.#locate(plan);
  }

  /** Stops all lookups. */
  stop(): void {
    for (const { timer } of this.#entries.values()) if (timer !== null) clearTimeout(timer);
    this.#entries.clear();
    this.#resolver?.close();
  }

  async #resolve(entry: Entry): Promise<void> {
    const { name } = entry.resolved;
    entry.timer = null;
    entry.isBusy = true;
    try {
      this.#found(entry, await this.#lookup(name, entry.wanted.role));
    } catch (error) {
      this.#failed(entry, (error as NodeJS.ErrnoException).code ?? (error as Error).message);
    }
    entry.isBusy = false;
    if (this.#entries.get(name) === entry) this.#schedule(entry);
  }

  #schedule(entry: Entry): void {
    if (entry.timer !== null) clearTimeout(entry.timer);
    entry.timer = setTimeout(() => void this.#resolve(entry), entry.wanted.refreshMs);
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
    // A name that is not in the current plan is new, and `apply` adds its addresses.
    if (this.#plan === null || !wantedOf(this.#plan).has(resolved.name)) return;
    this.#targets = this.#locate(this.#plan);
    this.#events.onChange();
  }

  #failed({ resolved }: Entry, error: string): void {
    resolved.failed();
    if (resolved.failuresInARow > 1) return;
    const consequence =
      resolved.addresses.length > 0
        ? `${resolved.addresses.join(', ')} stays in use`
        : 'requests that need it fail until it does';
    const message = `${resolved.name} does not resolve (${error}); ${consequence}`;
    this.#events.onLog('warn', message, { name: resolved.name, error });
  }

  /**
   * `#locate` returns the targets of `plan` with the addresses known now. Existing targets keep their health.
   */
  #locate(plan: Plan): Targets {
    const health = new Map<string, SharedArrayBuffer>();
    const targets = new Map<string, readonly Target[]>();
    for (const version of plan.versions) {
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

/** `nameOf` returns null when nothing needs to be looked up. */
function nameOf({ address }: EndpointPlan): string | null {
  return address.kind === 'unix' || isIP(address.host) !== 0 ? null : address.host;
}

/**
 * `wantedOf` returns for each name the shortest interval of its versions, and `primary` if one of them is a
 * primary.
 */
function wantedOf(plan: Plan): Map<string, Wanted> {
  const primaries = new Set(plan.routes.flatMap((route) => route.primaries.map(({ version }) => version)));
  const names = new Map<string, Wanted>();
  for (const [index, version] of plan.versions.entries()) {
    for (const endpoint of version.endpoints) {
      const name = nameOf(endpoint);
      if (name === null) continue;
      const before = names.get(name);
      names.set(name, {
        refreshMs: Math.min(before?.refreshMs ?? version.dnsRefreshMs, version.dnsRefreshMs),
        role: before?.role === 'primary' || primaries.has(index) ? 'primary' : 'shadow',
      });
    }
  }
  return names;
}

async function within(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, tooLate]);
  clearTimeout(timer);
}
