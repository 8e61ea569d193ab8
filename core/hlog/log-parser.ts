/**
 * Reads HdrHistogram interval logs, umbra's own and those of other tools
 * (org.HdrHistogram.HistogramLogReader), line by line. An invalid line is reported and skipped, so that a
 * truncated file is read as far as possible.
 */
import { withoutBlanks } from '../trim.js';
import { decodePayload, type LoggedCounts } from './payload.js';

export interface LogInterval {
  /** Null for a line without a tag. */
  readonly tag: string | null;
  /** Seconds since 1970, or since the log's start if the log has no start time. */
  readonly startS: number;
  readonly lengthS: number;
  /** The column `Interval_Max`, by convention in milliseconds. */
  readonly maxMs: number;
  readonly counts: LoggedCounts;
}

export interface LogProblem {
  /** The number of the line, from 1. */
  readonly line: number;
  readonly message: string;
}

/** Timestamps further before the start than this are not absolute; this is the format's own rule. */
const YEAR_S = 365 * 24 * 3600;
/** Characters of an invalid line that a message shows. */
const SHOWN_CHARS = 40;

export class LogParser {
  private lineNumber = 0;
  private startS = 0;
  private baseS: number | null = null;

  constructor(
    private readonly onInterval: (interval: LogInterval) => void,
    private readonly onProblem: (problem: LogProblem) => void,
  ) {}

  /** `line` reads the next line, without its line end. */
  line(text: string): void {
    this.lineNumber++;
    const line = text.trim();
    if (line === '' || line.startsWith('"StartTimestamp"')) return;
    if (line.startsWith('#')) {
      this.comment(line);
      return;
    }
    try {
      this.onInterval(this.interval(line));
    } catch (error) {
      this.onProblem({ line: this.lineNumber, message: (error as Error).message });
    }
  }

  private comment(line: string): void {
    const found = /^#\[(StartTime|BaseTime): *([\d.]+)/.exec(line);
    if (found === null || Number.isNaN(Number(found[2]))) return;
    if (found[1] === 'BaseTime') this.baseS = Number(found[2]);
    else this.startS = Number(found[2]);
  }

  private interval(line: string): LogInterval {
    const fields = line.split(',').map(withoutBlanks);
    const tag = fields[0].startsWith('Tag=') ? fields.shift()!.slice('Tag='.length) : null;
    const [start, length, max, payload] = fields;
    const [startS, lengthS, maxMs] = [number(start), number(length), number(max)];
    if (startS === null || lengthS === null || maxMs === null) {
      throw new Error(`not a line of a histogram log: ${JSON.stringify(line.slice(0, SHOWN_CHARS))}`);
    }
    if (payload === undefined) throw new Error('the line is cut short: it has no histogram');
    return { tag, startS: this.baseOf(startS) + startS, lengthS, maxMs, counts: decodePayload(payload) };
  }

  private baseOf(startS: number): number {
    if (this.baseS !== null) return this.baseS;
    return startS < this.startS - YEAR_S ? this.startS : 0;
  }
}

function number(text: string | undefined): number | null {
  return text !== undefined && /^\d+(\.\d*)?(e[+-]?\d+)?$/i.test(text) ? Number(text) : null;
}
