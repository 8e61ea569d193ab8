/**
 * Whether the last reload was applied, in shared memory: main writes, and the control thread reads. A reload
 * is what nobody waits for an answer to: SIGHUP, a file that changed, a plan from a bucket.
 */
const OK = 0;
const APPLIED_MS = 1;
const WORDS = 2;

export class ReloadBlock {
  readonly #words: Float64Array;

  /** The configuration of the start counts as a reload that was applied. */
  static create(nowMs: number): SharedArrayBuffer {
    const shared = new SharedArrayBuffer(WORDS * Float64Array.BYTES_PER_ELEMENT);
    new ReloadBlock(shared).ended(true, nowMs);
    return shared;
  }

  constructor(shared: SharedArrayBuffer) {
    this.#words = new Float64Array(shared);
  }

  get ok(): boolean {
    return this.#words[OK] === 1;
  }

  /** When the last one was applied, in milliseconds since 1970. */
  get appliedMs(): number {
    return this.#words[APPLIED_MS]!;
  }

  ended(ok: boolean, nowMs: number): void {
    this.#words[OK] = ok ? 1 : 0;
    if (ok) this.#words[APPLIED_MS] = nowMs;
  }
}
