/**
 * The access log's reader and writer on the control thread: takes records from the rings of all data-plane
 * threads and writes lines. When the disk is slow it stops taking, the rings fill, and the data plane drops
 * and counts; nothing waits for a disk.
 */
import { createWriteStream, type WriteStream, write } from 'node:fs';
import type { AccessLogPlan, Plan } from '../../core/plan.js';
import { readAccessEntry } from '../../core/record/access-log.js';
import { Redaction, redactNothingMore } from '../../core/redact.js';
import { accessLine } from '../../core/report/access-line.js';
import { Doorbell } from '../../core/ring/doorbell.js';
import { FrameType } from '../../core/ring/frame.js';
import { type FrameHandler, type ReadFrame, RingReader } from '../../core/ring/reader.js';

/** Bytes of lines waiting for the disk before the rings are left alone. */
const pendingBytesMax = 1024 * 1024;
/** Records taken from one ring in a turn. */
const recordsPerTurn = 256;
/** A parked reader looks around this often although nothing rang. */
const parkMs = 1000;
/** While the disk is behind, it is looked at again after this long. */
const fullCheckMs = 20;
/** When umbra stops, a pipe that nobody reads holds the end up no longer than this. */
const partingMs = 2000;
const stdoutFd = 1;

export class AccessLogFile implements FrameHandler {
  readonly #readers: readonly RingReader[];
  readonly #doorbell: Doorbell;
  readonly #warn: (message: string) => void;
  readonly #isEmpty = () => this.#readers.every((reader) => reader.isEmpty());
  readonly #pump = () => this.#turn();
  #plan: AccessLogPlan | null = null;
  #redaction = new Redaction(redactNothingMore);
  #stream: WriteStream | null = null;
  #lines = '';
  #closed = false;

  constructor(
    rings: readonly SharedArrayBuffer[],
    doorbell: SharedArrayBuffer,
    warn: (message: string) => void,
  ) {
    this.#readers = rings.map((ring) => new RingReader(ring));
    this.#doorbell = new Doorbell(doorbell);
    this.#warn = warn;
    this.#turn();
  }

  /** Null: records that still come are thrown away. */
  apply({ accessLog: plan, redact }: Pick<Plan, 'accessLog' | 'redact'>): void {
    this.#redaction = new Redaction(redact);
    if (plan?.path !== this.#plan?.path) {
      this.#stream?.end();
      this.#stream = plan === null ? null : this.#open(plan.path);
    }
    this.#plan = plan;
  }

  /**
   * Log rotation: what is written so far goes to the file that was open, the rest to a new one of the
   * same name.
   */
  reopen(): void {
    const { path } = this.#plan ?? { path: '-' };
    if (path === '-') return;
    this.#writeOut();
    this.#stream?.end();
    this.#stream = this.#open(path);
  }

  onFrame({ type, bytes, start }: ReadFrame): void {
    if (type === FrameType.RECORD && this.#plan !== null) {
      this.#lines += accessLine(readAccessEntry(bytes, start), this.#plan.format, this.#redaction);
    }
  }

  /** Writes what is in the rings now, and resolves when it is with the system. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const reader of this.#readers) while (reader.drain(this, recordsPerTurn) > 0);
    const stream = this.#stream;
    if (stream === null) return;
    this.#writeOut();
    await new Promise<void>((resolve) => {
      setTimeout(resolve, partingMs);
      stream.once('error', () => resolve());
      stream.end(() => resolve());
    });
  }

  #turn(): void {
    if (this.#closed) return;
    const stream = this.#stream;
    if (stream !== null && stream.writableLength > pendingBytesMax) {
      // Not on 'drain': a stream that fails while it is full never emits it.
      setTimeout(this.#pump, fullCheckMs);
      return;
    }
    let count = 0;
    for (const reader of this.#readers) count += reader.drain(this, recordsPerTurn);
    this.#writeOut();
    if (count > 0) setImmediate(this.#pump);
    else this.#doorbell.park(this.#isEmpty, parkMs, this.#pump);
  }

  #writeOut(): void {
    if (this.#lines !== '') this.#stream?.write(this.#lines);
    this.#lines = '';
  }

  #open(path: string): WriteStream {
    const stream =
      path === '-'
        ? createWriteStream('', { fd: stdoutFd, autoClose: false, fs: { write: writePatiently } as never })
        : createWriteStream(path, { flags: 'a' });
    stream.on('error', (error) => {
      this.#warn(`the access log ${path} can't be written: ${error.message}`);
      if (this.#stream === stream) this.#stream = null;
    });
    return stream;
  }
}

/**
 * A pipe that nobody reads for a while takes nothing more, and says so; a stream of Node's takes that for an
 * error after five attempts in a row and is over. Here it is a disk that is slow.
 */
function writePatiently(
  fd: number,
  bytes: Buffer,
  offset: number,
  length: number,
  position: number | null,
  done: (error: Error | null, written: number, bytes: Buffer) => void,
): void {
  write(fd, bytes, offset, length, position, (error, written) => {
    if (error?.code !== 'EAGAIN') done(error, written, bytes);
    else setTimeout(() => writePatiently(fd, bytes, offset, length, position, done), fullCheckMs);
  });
}
