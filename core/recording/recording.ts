/**
 * One recording, whichever of the formats it is in: all of its messages in turn, or one of them by its place.
 */
import { limits } from '../limits.js';
import { isGoReplay, readGoReplay } from './goreplay-reader.js';
import { gzipMark } from './members.js';
import type { RecordedMessage, SkippedRecord } from './recorded.js';
import { isPlainWarc, readPackedWarc, readPlainWarc } from './warc-reader.js';
import { type ReadAt, Window } from './window.js';

/**
 * Where a message stands: its offset, and how many stand before it in the same gzip member, as one number.
 */
export type Place = number;

/** Records that one gzip member may hold; a file of the usual kind has one in each. */
const memberRecordsMax = 1024;

export interface PlacedMessage {
  readonly place: Place;
  readonly message: RecordedMessage;
}

type ReadMessages = (window: Window) => Iterable<RecordedMessage | SkippedRecord>;

export class Recording {
  readonly #window: Window;
  readonly #read: ReadMessages;

  /** This and every other method throws what `readAt` throws. */
  constructor(readAt: ReadAt) {
    this.#window = new Window(readAt);
    this.#window.has(limits.recordHeaderBytes);
    this.#read = formatOf(this.#window.bytes);
  }

  /** Never throws for the content of the file: a record that can't be used is skipped with the reason. */
  *messages(): Generator<PlacedMessage | SkippedRecord> {
    this.#window.moveTo(0);
    let memberOffset = -1;
    let before = 0;
    for (const found of this.#read(this.#window)) {
      before = found.offset === memberOffset ? before + 1 : 0;
      memberOffset = found.offset;
      if ('reason' in found) yield found;
      else if (before >= memberRecordsMax)
        yield { offset: memberOffset, reason: `more than ${memberRecordsMax} records in one gzip member` };
      else yield { place: memberOffset * memberRecordsMax + before, message: found };
    }
  }

  /** The message that stood at `place`. Throws where it does no more. */
  messageAt(place: Place): RecordedMessage {
    this.#window.moveTo(Math.floor(place / memberRecordsMax));
    let before = place % memberRecordsMax;
    for (const found of this.#read(this.#window)) {
      if (before-- > 0) continue;
      if ('reason' in found) break;
      return found;
    }
    throw new Error('the recording was changed while it was played');
  }
}

function formatOf(start: Buffer): ReadMessages {
  if (start.byteLength === 0) return () => [];
  if (isGoReplay(start)) return readGoReplay;
  if (isPlainWarc(start)) return readPlainWarc;
  if (start.includes(gzipMark)) return readPackedWarc;
  return () => [{ offset: 0, reason: 'neither a WARC file nor one of GoReplay' }];
}
