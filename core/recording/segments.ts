/**
 * The files of a recording: a segment is written under a name that ends in `.open` and gets its own when it
 * is whole, as WARC tools expect. Names sort by time, and the oldest files go when the directory would
 * outgrow its budget.
 */
import { type FileHandle, mkdir, open, readdir, rename, stat, statfs, unlink } from 'node:fs/promises';
import { join } from 'node:path';

const openSuffix = '.open';
const namePattern = /^umbra-\d{8}T\d{12}Z-[0-9a-f]+-\d+\.warc\.gz(?:\.open)?$/;

export interface SegmentSettings {
  readonly directory: string;
  readonly segmentBytes: number;
  readonly segmentMs: number;
  readonly diskBytesMax: number;
}

export class Segments {
  #settings: SegmentSettings;
  readonly #writer: string;
  #file: FileHandle | null = null;
  #path = '';
  #bytes = 0;
  #openedMs = 0;
  #count = 0;

  /** `writer` is part of the names: hexadecimal digits that no other writer has. */
  constructor(settings: SegmentSettings, writer: string) {
    this.#settings = settings;
    this.#writer = writer;
  }

  /** The settings hold from the next segment on. */
  follow(settings: SegmentSettings): void {
    this.#settings = settings;
  }

  get isOpen(): boolean {
    return this.#file !== null;
  }

  /** The open segment is as old or as large as it may get. */
  isFull(nowMs: number): boolean {
    const { segmentBytes, segmentMs } = this.#settings;
    return this.#file !== null && (this.#bytes >= segmentBytes || nowMs - this.#openedMs >= segmentMs);
  }

  /**
   * Makes room and begins a new segment; `date` is of `Dates`. Answers its name. Rejects with the system's
   * error.
   */
  async open(nowMs: number, date: string): Promise<string> {
    const { directory } = this.#settings;
    await mkdir(directory, { recursive: true });
    await this.#makeRoom();
    const number = String(++this.#count).padStart(6, '0');
    const name = `umbra-${date.replace(/[-:.]/g, '')}-${this.#writer}-${number}.warc.gz`;
    const path = join(directory, name);
    this.#file = await open(path + openSuffix, 'wx', 0o600);
    this.#path = path;
    this.#bytes = 0;
    this.#openedMs = nowMs;
    return name;
  }

  /**
   * Appends all of it or, where the disk takes only a part, nothing: a file ends with a whole record, and
   * what is reported as failed is not in it.
   */
  async append(bytes: Uint8Array): Promise<void> {
    const file = this.#file!;
    try {
      for (let at = 0; at < bytes.byteLength; ) at += (await file.write(bytes, at)).bytesWritten;
    } catch (error) {
      await file.truncate(this.#bytes).catch(() => {});
      throw error;
    }
    this.#bytes += bytes.byteLength;
  }

  /** Whether the file system has room for so many bytes; true where it does not say. */
  async hasRoom(bytes: number): Promise<boolean> {
    const found = await statfs(this.#settings.directory).catch(() => null);
    return found === null || found.bavail * found.bsize >= bytes;
  }

  /** Whether somebody deleted the file that is being written, so that its records would be lost. */
  async isGone(): Promise<boolean> {
    return this.#file !== null && (await this.#file.stat()).nlink === 0;
  }

  /** Deletes a file in which there is nothing. */
  async close(): Promise<void> {
    const file = this.#file;
    if (file === null) return;
    this.#file = null;
    try {
      await file.close();
    } finally {
      if (this.#bytes === 0) await unlink(this.#path + openSuffix);
      else await rename(this.#path + openSuffix, this.#path);
    }
  }

  /** Deletes the oldest segments until one more of full size fits; those that are being written stay. */
  async #makeRoom(): Promise<void> {
    const { directory, diskBytesMax, segmentBytes } = this.#settings;
    const names = (await readdir(directory)).filter((name) => namePattern.test(name)).sort();
    const sizes = await Promise.all(names.map((name) => sizeOf(join(directory, name))));
    let total = sizes.reduce((sum, bytes) => sum + bytes, 0);
    for (const [index, name] of names.entries()) {
      if (total + segmentBytes <= diskBytesMax) return;
      if (name.endsWith(openSuffix)) continue;
      await unlink(join(directory, name));
      total -= sizes[index];
    }
  }
}

/** Another writer may have deleted it meanwhile. */
async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    return 0;
  }
}
