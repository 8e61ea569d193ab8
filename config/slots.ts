/**
 * Which counters a mirror, or its baseline, counts in. The same (route, version) keeps its slot over every
 * reload, so its counters
 * never jump; a slot is never given to another mirror, because its counts would be mixed up.
 */
import { limits } from '../core/limits.js';

export interface MirrorName {
  readonly route: string;
  readonly version: string;
  /** The version that this baseline is a measure for; without it, the mirror itself. */
  readonly baselineOf?: string;
}

/** No room for new mirrors: the reload is refused, and no slot was taken. */
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
  private readonly slotsMax: number;

  constructor(slotsMax: number = limits.mirrorSlots) {
    this.slotsMax = slotsMax;
  }

  /**
   * One slot for each mirror, in their order. All or nothing: throws `MirrorSlotsFullError` before it takes
   * any.
   */
  assign(mirrors: readonly MirrorName[]): number[] {
    const missing = new Set(mirrors.map(keyOf).filter((key) => !this.slots.has(key)));
    if (this.slots.size + missing.size > this.slotsMax) throw new MirrorSlotsFullError(this.slotsMax);
    return mirrors.map((mirror) => this.take(mirror));
  }

  /** What each slot stands for, by slot; it keeps the names of mirrors that are configured no more. */
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

/** Names hold no blank, so this is unambiguous. */
function keyOf(mirror: MirrorName): string {
  return `${mirror.route} ${mirror.version} ${mirror.baselineOf ?? ''}`;
}
