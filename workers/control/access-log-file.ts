/**
 * Writes the access log on the control thread: it reads records from the rings of all data-plane threads and
 * writes lines. Spans of traced requests come through the same rings and are passed on. When the disk is
 * slow it stops reading, the rings fill, and the data plane drops and counts
 * records. Nothing waits for a disk.
 */
import { createWriteStream, type WriteStream, write } from 'node:fs';
import type { AccessLogPlan, Plan } from '../../core/plan.js';
import { readAccessEntry } from '../../core/record/access-log.js';
import { readSpanRecord, type SpanRecord } from '../../core/record/span-record.js';
import { Redaction, redactNothingMore } from '../../core/redact.js';
import { accessLine } from '../../core/report/access-line.js';
import { Doorbell } from '../../core/ring/doorbell.js';
import { FrameType } from '../../core/ring/frame.js';
import { type FrameHandler, type ReadFrame, RingReader } from '../../core/ring/reader.js';

/** Bytes of lines that may wait for the disk before reading stops. */
const pendingBytesMax = 1024 * 1024;
/** Records read from one ring per turn. */
const recordsPerTurn = 256;
/** A parked reader checks its rings at this interval even if the doorbell did not ring. */
const parkMs = 1000;
/** Interval of checks while the disk is behind. */
const fullCheckMs = 20;
/** Time that an unread pipe may delay the end of umbra, in milliseconds. */
const partingMs = 2000;
const stdoutFd = 1;

export class AccessLogFile implements FrameHandler {
  readonly #readers: readonly RingReader[];
  readonly #doorbell: Doorbell;
  readonly #warn: (message: string) => void;
  readonly #onSpan: (record: SpanRecord) => void;
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
    onSpan: (record: SpanRecord) => void = () => {},
  ) {
    this.#readers = rings.map((ring) => new RingReader(ring));
    this.#doorbell = new Doorbell(doorbell);
    this.#warn = warn;
    this.#onSpan = onSpan;
    this.#turn();
  }

  /** `apply` applies a plan. Without an access log, remaining records are discarded. */
  apply({ accessLog: plan, redact }: Pick<Plan, 'accessLog' | 'redact'>): void {
    this.#redaction = new Redaction(redact);
    if (plan?.path !== this.#plan?.path) {
      this.#stream?.end();
      this.#stream = plan === null ? null : this.#open(plan.path);
    }
    this.#plan = plan;
  }

  /**
   * `reopen` supports log rotation: earlier lines go to the file that was open, later ones to a new file of
   * the same name.
   */
  reopen(): void {
    const { path } = this.#plan ?? { path: '-' };
    if (path === '-') return;
    this.#writeOut();
    this.#stream?.end();
    this.#stream = this.#open(path);
  }

  onFrame({ type, bytes, start, end }: ReadFrame): void {
    if (type === FrameType.SPAN) this.#onSpan(readSpanRecord(bytes, start, end));
    if (type === FrameType.RECORD && this.#plan !== null) {
      this.#lines += accessLine(readAccessEntry(bytes, start), this.#plan.format, this.#redaction);
    }
  }

  /** `close` writes what is in the rings, and resolves when the system has it. */
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
      // 'drain' is not used: a stream that fails while it is full never emits it.
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
 * `writePatiently` retries a pipe that nobody reads for a while. Node's stream treats that as an error after
 * five attempts in a row and ends. Here it counts as a slow disk.
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
