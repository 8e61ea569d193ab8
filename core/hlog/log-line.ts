/**
 * Lines of an HdrHistogram interval log, format 1.3 (org.HdrHistogram.HistogramLogWriter). Times are seconds
 * since 1970 with a base time of 0, so that a later process can append to the file without another base.
 * Values are microseconds; the column `Interval_Max` is in milliseconds, as the format's own tools expect it.
 */
import { isoTime } from '../clock.js';
import type { Histogram } from '../record/histogram.js';
import { encodePayload } from './payload.js';

const US_PER_MS = 1000;
const MS_PER_S = 1000;

/**
 * `logHeader` returns what a process writes before its first line. `startMs` is wall-clock time. It may be in
 * the middle of a file.
 */
export function logHeader(startMs: number): string {
  return (
    '#[Logged with umbra: values in microseconds, Interval_Max in milliseconds]\n' +
    '#[Histogram log format version 1.3]\n' +
    `#[StartTime: ${seconds(startMs)} (seconds since epoch), ${isoTime(startMs)}]\n` +
    '#[BaseTime: 0.000 (seconds since epoch)]\n' +
    '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"\n'
  );
}

/**
 * `intervalLine` returns the values between two wall-clock times. `tag` has no comma, space or line break.
 */
export function intervalLine(tag: string, startMs: number, endMs: number, histogram: Histogram): string {
  const maxMs = (histogram.maxUs / US_PER_MS).toFixed(3);
  return `Tag=${tag},${seconds(startMs)},${seconds(Math.max(0, endMs - startMs))},${maxMs},${encodePayload(histogram)}\n`;
}

function seconds(ms: number): string {
  return (ms / MS_PER_S).toFixed(3);
}
