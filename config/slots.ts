/**
 * The counters of mirrors and baselines. The same (route, version) keeps its slot over every reload, so that
 * its counters never jump. A slot is never reused for another mirror, because the counts would be mixed.
 */
import { limits } from '../core/limits.js';

export interface MirrorName {
  readonly route: string;
  readonly version: string;
  /** The version that this baseline belongs to; absent for a mirror. */
  readonly baselineOf?: string;
}

/** There is no slot for new mirrors. The reload is rejected, and no slot was taken. */
export class MirrorSlotsFullError extends Error {
  readonly code = 'MIRROR_SLOTS_FULL';
  constructor(slotsMax: number) {
    super(
      `the mirrors of this process have used all ${slotsMax} slots since it started (one for each route and version): restart it to use new names`,
    );
    this.name = 'MirrorSlotsFullError';
  }
}

export class MirrorSlots {
  private readonly slots = new Map<string, number>();
  private readonly names: MirrorName[] = [];
  private readonly routes = new Map<string, number>();
  private readonly slotsMax: number;

  constructor(slotsMax: number = limits.mirrorSlots) {
    this.slotsMax = slotsMax;
  }

  /**
   * `assign` returns one slot for each mirror, in their order. It throws `MirrorSlotsFullError` before it
   * takes any slot.
   */
  assign(mirrors: readonly MirrorName[]): number[] {
    const missing = new Set(mirrors.map(keyOf).filter((key) => !this.slots.has(key)));
    if (this.slots.size + missing.size > this.slotsMax) throw new MirrorSlotsFullError(this.slotsMax);
    return mirrors.map((mirror) => this.take(mirror));
  }

  /** `routeSlot` returns the row of counters of a route. Names beyond the last row share it. */
  routeSlot(name: string): number {
    const slot = this.routes.get(name) ?? Math.min(this.routes.size, limits.routeSlots - 1);
    this.routes.set(name, slot);
    return slot;
  }

  /** `all` returns the name of each slot, including mirrors that are no longer configured. */
  all(): readonly MirrorName[] {
    return this.names;
  }

  private take(mirror: MirrorName): number {
    const key = keyOf(mirror);
    const known = this.slots.get(key);
    if (known !== undefined) return known;
    const slot = this.names.length;
    this.slots.set(key, slot);
    this.names.push({ ...mirror });
    return slot;
  }
}

/** `keyOf` joins names by blanks, which names do not contain. */
function keyOf(mirror: MirrorName): string {
  return `${mirror.route} ${mirror.version} ${mirror.baselineOf ?? ''}`;
}
