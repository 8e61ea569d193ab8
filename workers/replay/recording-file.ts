/**
 * Opens the files of a replay. Directories stand for the recordings in them. What can't be read in
 * place (a file that is gzipped as a whole, a HAR) is written to a temporary file first, which has no name
 * any more when this returns.
 */
import {
  closeSync,
  createReadStream,
  fstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, createGunzip } from 'node:zlib';
import { limits } from '../../core/limits.js';
import { warcOfHar } from '../../core/recording/har.js';
import { gzipMark, readMembers } from '../../core/recording/members.js';
import type { SkippedRecord } from '../../core/recording/recorded.js';
import { Window } from '../../core/recording/window.js';

/** Files of a directory that are recordings. */
const recordingName = /\.(?:warc|warc\.gz|gor|gor\.gz|gz|har)(?:\.open)?$/;
const startBytes = 256;
/** Accepts a file that ends anywhere, as one does whose writer was killed. */
const asFarAsItGoes = { finishFlush: constants.Z_SYNC_FLUSH };
/** The second record of a gzip member that holds a whole file. */
const secondRecord = Buffer.from('\r\n\r\nWARC/1.');

export class RecordingFile {
  readonly path: string;
  readonly bytes: number;
  readonly descriptor: number;

  constructor(path: string, descriptor: number) {
    this.path = path;
    this.descriptor = descriptor;
    this.bytes = fstatSync(descriptor).size;
  }

  close(): void {
    closeSync(this.descriptor);
  }
}

/**
 * Rejects with an Error that names the file. `onSkipped`: entries of a HAR that can't be played, by their
 * number.
 */
export async function openRecordings(
  paths: readonly string[],
  onSkipped: (path: string, skipped: SkippedRecord) => void,
): Promise<RecordingFile[]> {
  const files: RecordingFile[] = [];
  for (const path of paths.flatMap(filesOf)) {
    try {
      files.push(new RecordingFile(path, await openRecording(path, (skipped) => onSkipped(path, skipped))));
    } catch (error) {
      for (const file of files) file.close();
      throw new Error(`can't read ${path}: ${(error as Error).message}`);
    }
  }
  return files;
}

function filesOf(path: string): string[] {
  let isDirectory = false;
  try {
    isDirectory = statSync(path).isDirectory();
  } catch {
    // Opening it says why.
  }
  if (!isDirectory) return [path];
  const names = readdirSync(path)
    .filter((name) => recordingName.test(name))
    .sort();
  if (names.length === 0) throw new Error(`can't read ${path}: there is no recording in this directory`);
  return names.map((name) => join(path, name));
}

async function openRecording(path: string, onSkipped: (skipped: SkippedRecord) => void): Promise<number> {
  const descriptor = openSync(path, 'r');
  try {
    if (!fstatSync(descriptor).isFile()) throw new Error('it is not a file');
    const unpacked = isGzippedAsWhole(descriptor) ? await gunzip(path) : null;
    const readable = unpacked ?? descriptor;
    if (!isHar(readable)) return readable;
    const converted = convert(readText(readable), onSkipped);
    closeSync(readable);
    return converted;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

function startOf(descriptor: number): Buffer {
  const bytes = Buffer.allocUnsafe(startBytes);
  return bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.byteLength, 0));
}

/** A byte order mark may stand before it. */
function isHar(descriptor: number): boolean {
  return /^\uFEFF?\s*\{/.test(startOf(descriptor).toString('utf8'));
}

/**
 * A recording in which each record is a member of its own is read in place; a member with more than one is
 * not.
 */
function isGzippedAsWhole(descriptor: number): boolean {
  if (!startOf(descriptor).subarray(0, gzipMark.byteLength).equals(gzipMark)) return false;
  const window = new Window((into, position) => readSync(descriptor, into, 0, into.byteLength, position));
  const first = readMembers(window).next();
  if (first.done === true) return false;
  const { value } = first;
  if ('reason' in value) return /large|cut off/.test(value.reason);
  return (
    value.content.includes(secondRecord) || !value.content.subarray(0, 5).equals(secondRecord.subarray(4, 9))
  );
}

async function gunzip(path: string): Promise<number> {
  const descriptor = temporaryFile();
  try {
    for await (const piece of createReadStream(path).pipe(createGunzip(asFarAsItGoes)))
      writeAll(descriptor, piece as Buffer);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  return descriptor;
}

function readText(descriptor: number): string {
  const { size } = fstatSync(descriptor);
  if (size > limits.harBytes) throw new Error(`a HAR of more than ${limits.harBytes} bytes`);
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (let read = 1; read > 0 && at < size; at += read) read = readSync(descriptor, bytes, at, size - at, at);
  return bytes.toString('utf8', 0, at);
}

function convert(text: string, onSkipped: (skipped: SkippedRecord) => void): number {
  const descriptor = temporaryFile();
  for (const found of warcOfHar(text.replace(/^\uFEFF/, ''))) {
    if (Buffer.isBuffer(found)) writeAll(descriptor, found);
    else onSkipped(found);
  }
  return descriptor;
}

/** Only its owner can read it, and it is gone when it is closed: a recording holds what users sent. */
function temporaryFile(): number {
  const directory = mkdtempSync(join(tmpdir(), 'umbra-unpacked-'));
  const descriptor = openSync(join(directory, 'recording'), 'w+', 0o600);
  rmSync(directory, { recursive: true });
  return descriptor;
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.byteLength; ) at += writeSync(descriptor, bytes, at);
}
