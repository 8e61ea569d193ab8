/** The time line of recordings on disk, with filters as they are written on the command line. */
import { readSync } from 'node:fs';
import { type Filter, Timeline } from '../../core/recording/timeline.js';
import { parseFilter } from '../../core/replay/filter.js';

export interface FileOnDisk {
  readonly path: string;
  readonly descriptor: number;
  readonly bytes: number;
}

export class RecordedTimeline extends Timeline {
  readonly #bytes: number;
  /** How far each file was read. */
  readonly #readTo: number[];

  /** `filters` were checked on the command line. */
  constructor(files: readonly FileOnDisk[], filters: readonly string[]) {
    const readTo = files.map(() => 0);
    const keeps = filters.map(parseFilter).filter((filter): filter is Filter => filter !== null);
    super(
      files.map(({ path, descriptor }, file) => ({
        path,
        readAt: (into, position) => {
          const read = readSync(descriptor, into, 0, into.byteLength, position);
          readTo[file] = Math.max(readTo[file], position + read);
          return read;
        },
      })),
      (exchange) => keeps.every((filter) => filter(exchange)),
    );
    this.#readTo = readTo;
    this.#bytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** How much of the files was read, from 0 to 1. */
  get readShare(): number {
    const read = this.#readTo.reduce((sum, bytes) => sum + bytes, 0);
    return this.#bytes === 0 ? 1 : Math.min(1, read / this.#bytes);
  }
}
