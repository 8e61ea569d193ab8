/**
 * The upstream pools of one thread. A reload keeps the pool of every version that did not change, so that its
 * connections live on; the others drain.
 */
import { nowUs } from '../core/clock.js';
import { limits } from '../core/limits.js';
import type { Plan } from '../core/plan.js';
import { VersionLedger } from '../core/record/version-ledger.js';
import { Deadlines } from '../core/upstream/deadlines.js';
import { VersionPool } from '../core/upstream/pool.js';
import { WriteArena } from '../core/upstream/write-arena.js';
import type { LedgerShares } from './messages.js';

export class UpstreamSide {
  readonly arena = new WriteArena();
  readonly #resources = {
    readBuffer: Buffer.allocUnsafeSlow(limits.readBufferBytes),
    arena: this.arena,
    deadlines: new Deadlines(nowUs),
    clock: nowUs,
  };
  #pools = new Map<string, VersionPool>();
  #byIndex: (VersionPool | undefined)[] = [];
  #ledgers: (VersionLedger | undefined)[] = [];

  /** Takes over the versions of `plan` in which this thread has a part. */
  follow(plan: Plan, shares: LedgerShares): void {
    const before = this.#pools;
    this.#pools = new Map();
    this.#ledgers = shares.versions.map((shared) => (shared === undefined ? undefined : new VersionLedger(shared)));
    this.#byIndex = plan.versions.map((version, index) => {
      const ledger = this.#ledgers[index];
      if (ledger === undefined) return undefined;
      const old = before.get(version.name);
      const pool = old?.sameAs(version) ? old : new VersionPool(version, { ...this.#resources, ledger });
      this.#pools.set(version.name, pool);
      return pool;
    });
    for (const [name, pool] of before) if (this.#pools.get(name) !== pool) pool.close();
  }

  /** The pool of the version at `index` in the plan. */
  pool(index: number): VersionPool {
    return this.#byIndex[index]!;
  }

  ledger(index: number): VersionLedger {
    return this.#ledgers[index]!;
  }

  close(): void {
    for (const pool of this.#pools.values()) pool.close();
  }
}
