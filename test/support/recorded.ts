/**
 * Reads what a recording has on disk, as strictly as a foreign tool would: every byte of every file must be
 * understood.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { memberBytesMax, type WriteMember } from '../../core/recording/member.js';

export interface RecordOnDisk {
  readonly type: string;
  readonly headers: ReadonlyMap<string, string>;
  /** A wire string. */
  readonly block: string;
  /** `METHOD TARGET sha-of-body` of a request. */
  readonly request: string;
}

/** A record as a member by itself. */
export function memberOf(write: WriteMember, record: Uint8Array): Buffer {
  const room = Buffer.allocUnsafe(memberBytesMax(record.byteLength));
  return room.subarray(0, write(record, room, 0));
}

export function segmentsIn(directory: string): string[] {
  return readdirSync(directory).sort();
}

export function recordsIn(directory: string): RecordOnDisk[] {
  return segmentsIn(directory).flatMap((name) => recordsOf(join(directory, name)));
}

export function requestsIn(directory: string): RecordOnDisk[] {
  return recordsIn(directory).filter(({ type }) => type === 'request');
}

function recordsOf(path: string): RecordOnDisk[] {
  const text = gunzipSync(readFileSync(path)).toString('latin1');
  const records: RecordOnDisk[] = [];
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\r\n\r\n', at);
    const [version, ...lines] = text.slice(at, end).split('\r\n');
    if (version !== 'WARC/1.1' || end < 0) throw new Error(`no record at ${at} of ${path}`);
    const headers = new Map(lines.map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]));
    const blockEnd = end + 4 + Number(headers.get('Content-Length'));
    const block = text.slice(end + 4, blockEnd);
    if (text.slice(blockEnd, blockEnd + 4) !== '\r\n\r\n') throw new Error(`no end of the record at ${at}`);
    records.push({ type: headers.get('WARC-Type')!, headers, block, request: requestOf(block) });
    at = blockEnd + 4;
  }
  return records;
}

function requestOf(block: string): string {
  const headEnd = block.indexOf('\r\n\r\n') + 4;
  const body = block.slice(headEnd);
  const chunked = /\r\ntransfer-encoding: chunked\r\n/i.test(block.slice(0, headEnd));
  const bytes = chunked ? body.replace(/^[0-9a-f]+\r\n([\s\S]*)\r\n0\r\n[\s\S]*$/, '$1') : body;
  const sha = createHash('sha256').update(bytes, 'latin1').digest('base64');
  return `${block.split(' ', 2).join(' ')} ${sha}`;
}
