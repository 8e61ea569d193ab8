/** Reads histogram logs from disk, of any size: line by line, into one merged histogram per tag. */
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { LogParser, type LogProblem } from '../../core/hlog/log-parser.js';
import { MergedLog } from '../../core/hlog/merged.js';
import { Char } from '../../core/http/chars.js';
import { limits } from '../../core/limits.js';

export interface HlogContents {
  readonly byTag: ReadonlyMap<string, MergedLog>;
  /** What could not be read, one line each, with file and line. */
  readonly notes: readonly string[];
}

/** Reported one by one up to here, then as a number. */
const problemsReported = 5;

/** Rejects with an Error that names the file if one can't be opened. */
export async function readHlogFiles(paths: readonly string[]): Promise<HlogContents> {
  const byTag = new Map<string, MergedLog>();
  const notes: string[] = [];
  for (const path of paths) notes.push(...(await readOne(path, byTag)));
  for (const [tag, log] of byTag) {
    if (log.reshaped > 0)
      notes.push(`${tag}: ${log.reshaped} intervals of another shape were counted by value`);
  }
  return { byTag, notes };
}

async function readOne(path: string, byTag: Map<string, MergedLog>): Promise<string[]> {
  const problems: LogProblem[] = [];
  let problemCount = 0;
  let intervals = 0;
  const onProblem = (problem: LogProblem): void => {
    if (problemCount++ < problemsReported) problems.push(problem);
  };
  const parser = new LogParser((interval) => {
    intervals++;
    const tag = interval.tag ?? basename(path);
    const log = byTag.get(tag) ?? new MergedLog();
    log.add(interval);
    byTag.set(tag, log);
  }, onProblem);
  for await (const line of linesOf(path)) parser.line(line);
  const notes = problems.map(({ line, message }) => `${path}:${line}: ${message}`);
  if (problemCount > problemsReported)
    notes.push(`${path}: ${problemCount - problemsReported} more lines could not be read`);
  if (intervals === 0) notes.push(`${path}: no interval could be read: is it a histogram log?`);
  return notes;
}

/**
 * Like node:readline, but a line that never ends takes no more memory than its bound; its rest is passed
 * over.
 */
async function* linesOf(path: string): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      let from = 0;
      for (let end = chunk.indexOf(Char.LF); end >= 0; end = chunk.indexOf(Char.LF, from)) {
        parts.push(chunk.subarray(from, end));
        yield Buffer.concat(parts).toString('utf8');
        parts = [];
        bytes = 0;
        from = end + 1;
      }
      const rest = chunk.subarray(from);
      bytes += rest.length;
      if (bytes <= limits.logLineBytes) parts.push(rest);
    }
  } catch (error) {
    throw new Error(`can't read ${path}: ${(error as Error).message}`);
  }
  if (parts.length > 0) yield Buffer.concat(parts).toString('utf8');
}
