/**
 * A sink that writes a recording. Records are made and compressed at once, gathered until the thread has read
 * its rings, and written with one call while the next ones gather (./output); so the disk is always waited
 * for by one write and by nothing else.
 *
 * When a write fails, everything that is not on disk has failed, the recording stops, and copies are dropped
 * for that reason until a new segment can be begun.
 */
import type { Clock } from '../clock.js';
import { Drop, Failure, none } from '../errors.js';
import type { Copy, Sink } from '../sink/sink.js';
import { SoleRun } from '../sole-run.js';
import { compressor, memberBytesMax, stored, type WriteMember } from './member.js';
import { Output } from './output.js';
import { Dates, RecordIds } from './record-ids.js';
import { RecordWriter } from './record-writer.js';
import type { Redactor } from './redactor.js';
import { type SegmentSettings, Segments } from './segments.js';

/** The pause after a failure, before a new segment is tried. */
const restMs = 1000;
const tickMs = 1000;
/** Free bytes from which on a recording whose disk was full is tried again. */
const probedBytes = 256 * 1024;
/** Bytes that are written at once, before the rings are empty. */
const writtenBytes = 128 * 1024;

export interface FileSinkDeps {
  readonly clock: Clock;
  wallClockMs(): number;
  /** 16 random bytes. */
  randomBytes(): Uint8Array;
  /** Name and version, for the first record of each file. */
  readonly software: string;
  /** The recording has stopped for this reason, or continues (null). */
  onState(trouble: Error | null): void;
}

export class FileSink implements Sink {
  readonly #deps: FileSinkDeps;
  readonly #segments: Segments;
  readonly #ids: RecordIds;
  readonly #dates = new Dates();
  #writer: RecordWriter;
  #member: WriteMember;
  #compresses: boolean;
  #refusal: Drop | typeof none = none;
  /** The last refusal, until a file could be begun again, as `onState` has it. */
  #trouble: Drop | typeof none = none;
  readonly #output = new Output();
  #copies: Copy[] = [];
  /** Bytes of each copy, as written. */
  #sizes: number[] = [];
  readonly #pumping = new SoleRun(() => this.#writeAll());
  /**
   * The difference of the wall clock and the process's time line: one for each segment, so that a clock that
   * is set moves no record within one.
   */
  #wallOffsetUs: number;
  #rest: NodeJS.Timeout | null = null;
  readonly #tick: NodeJS.Timeout;
  /** The next write begins a file even without a copy, to find out whether that is possible again. */
  #probes = false;
  /** The open segment counts for the mirror of its first copy, which has not come yet. */
  #segmentUncounted = false;
  /** The file may have been deleted meanwhile. */
  #looksAtFile = false;
  readonly #take = (record: Uint8Array) => {
    const block = this.#output.room(memberBytesMax(record.byteLength));
    this.#output.bytes = this.#member(record, block, this.#output.bytes);
  };

  constructor(settings: SegmentSettings & { compress: boolean }, redactor: Redactor, deps: FileSinkDeps) {
    this.#deps = deps;
    const random = deps.randomBytes();
    this.#ids = new RecordIds(random);
    this.#segments = new Segments(settings, Buffer.from(random).toString('hex', 0, 4));
    this.#writer = new RecordWriter(redactor, this.#ids);
    this.#compresses = settings.compress;
    this.#member = memberOf(settings.compress);
    this.#wallOffsetUs = deps.wallClockMs() * 1000 - deps.clock();
    this.#tick = setInterval(() => {
      this.#looksAtFile = this.#segments.isOpen;
      if (this.#looksAtFile) void this.#pumping.start();
    }, tickMs).unref();
  }

  /** Copies that are put from now on are written so. */
  follow(settings: SegmentSettings & { compress: boolean }, redactor: Redactor): void {
    this.#segments.follow(settings);
    this.#writer = new RecordWriter(redactor, this.#ids);
    if (settings.compress === this.#compresses) return;
    this.#compresses = settings.compress;
    this.#member = memberOf(settings.compress);
  }

  refuses(): Drop | typeof none {
    return this.#refusal;
  }

  /** A slow disk does not report itself: copies that wait for it are dropped as `memory`. */
  stalled(): typeof none {
    return none;
  }

  trouble(): Drop | typeof none {
    return this.#trouble;
  }

  lag(): null {
    return null;
  }

  put(copy: Copy): typeof none {
    const before = this.#output.bytes;
    this.#writer.write(copy, this.#dates.text(copy.offeredUs + this.#wallOffsetUs), this.#take);
    this.#copies.push(copy);
    this.#sizes.push(this.#output.bytes - before);
    if (this.#output.bytes >= writtenBytes) this.flush();
    return none;
  }

  flush(): void {
    if (this.#copies.length > 0) void this.#pumping.start();
  }

  /** Does nothing: a write that is under way ends by itself. */
  abort(): void {}

  /** The next `put` would begin a new segment. */
  async close(): Promise<void> {
    clearInterval(this.#tick);
    if (this.#rest !== null) clearTimeout(this.#rest);
    this.flush();
    while (this.#pumping.running !== null) await this.#pumping.running;
    await this.#segments.close().catch(() => {});
  }

  async #writeAll(): Promise<void> {
    let copies: Copy[] = [];
    try {
      if (this.#segments.isFull(this.#deps.wallClockMs())) await this.#segments.close();
      else if (this.#looksAtFile && (await this.#segments.isGone())) throw new Error('its file was deleted');
      this.#looksAtFile = false;
      // After a failure a file is begun without a copy to write, so that the state is right without traffic.
      if (this.#probes) await this.#probe();
      while (this.#copies.length > 0) {
        if (!this.#segments.isOpen) await this.#open();
        if (this.#segmentUncounted) this.#copies[0].segmentBegun();
        this.#segmentUncounted = false;
        const bytes = this.#output.take();
        copies = this.#copies;
        const sizes = this.#sizes;
        this.#copies = [];
        this.#sizes = [];
        await this.#segments.append(bytes).finally(() => this.#output.giveBack(bytes));
        for (let i = 0; i < copies.length; i++) copies[i].settled(none, sizes[i]);
        copies = [];
        if (this.#segments.isFull(this.#deps.wallClockMs())) await this.#segments.close();
      }
    } catch (error) {
      this.#stop(error as NodeJS.ErrnoException, copies);
      await this.#segments.close().catch(() => {});
    }
  }

  /** Asks for room first: a full disk may still take the first record of a file, and nothing after it. */
  async #probe(): Promise<void> {
    this.#probes = false;
    if (this.#segments.isOpen) return;
    if (await this.#segments.hasRoom(probedBytes)) await this.#open();
    else this.#restThenProbe();
  }

  async #open(): Promise<void> {
    const { wallClockMs, clock, software } = this.#deps;
    this.#wallOffsetUs = wallClockMs() * 1000 - clock();
    const date = this.#dates.text(wallClockMs() * 1000);
    const name = await this.#segments.open(wallClockMs(), date);
    const info = this.#writer.info(software, this.#ids.next(), date, name);
    const block = Buffer.allocUnsafe(memberBytesMax(info.byteLength));
    await this.#segments.append(block.subarray(0, this.#member(info, block, 0)));
    if (this.#trouble !== none) this.#deps.onState(null);
    this.#trouble = none;
    this.#segmentUncounted = true;
  }

  #stop(error: NodeJS.ErrnoException, copies: readonly Copy[]): void {
    const full = error.code === 'ENOSPC' || error.code === 'EDQUOT';
    this.#refusal = full ? Drop.DISK_FULL : Drop.UNWRITABLE;
    const lost = [...copies, ...this.#copies];
    this.#output.clear();
    this.#copies = [];
    this.#sizes = [];
    for (const copy of lost) copy.settled(Failure.WRITE, 0);
    if (this.#trouble === none) this.#deps.onState(error);
    this.#trouble = this.#refusal;
    this.#restThenProbe();
  }

  #restThenProbe(): void {
    this.#rest = setTimeout(() => {
      this.#rest = null;
      this.#refusal = none;
      this.#probes = true;
      void this.#pumping.start();
    }, restMs).unref();
  }
}

function memberOf(compresses: boolean): WriteMember {
  return compresses ? compressor() : stored;
}
