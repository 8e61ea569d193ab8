/** The records of a replay that can't be played: the first ones by name, all of them by reason. */
import type { SkippedRecord } from '../../core/recording/recorded.js';

/** Records that are named one by one while they are read. */
const named = 5;
/** Reasons that are counted by themselves; further ones are `other`. */
const reasonsMax = 32;

export class SkippedRecords {
  readonly #print: (line: string) => void;
  readonly #byReason = new Map<string, { count: number; readonly first: string }>();
  count = 0;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  /** `place`: what the offset is called; without it, it stands behind the path. */
  add(path: string, { offset, reason }: SkippedRecord, place = ''): void {
    const where = place === '' ? `${path}:${offset}` : `${path}: ${place} ${offset}`;
    if (++this.count <= named) this.#print(`${where}: skipped: ${reason}`);
    // Numbers in a reason are those of one record.
    const kind = reason
      .split(' ')
      .map((word) => (Number.isNaN(Number(word)) ? word : 'N'))
      .join(' ');
    const key = this.#byReason.has(kind) || this.#byReason.size < reasonsMax ? kind : 'other';
    const known = this.#byReason.get(key);
    if (known === undefined) this.#byReason.set(key, { count: 1, first: where });
    else known.count++;
  }

  /** Reasons with their counts. */
  get byReason(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#byReason].map(([reason, { count }]) => [reason, count]));
  }

  /** A sentence on each reason, for a report. */
  get notes(): string[] {
    return [...this.#byReason].map(
      ([reason, { count, first }]) =>
        `${count} ${count === 1 ? 'record was' : 'records were'} skipped: ${reason}; the first is ${first}`,
    );
  }
}
