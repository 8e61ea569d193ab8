/** wrk (https://github.com/wg/wrk): its command line and what it prints. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LoadResult } from './generator.js';

/** Longer than any pause that a healthy target makes; a request past it is an error. */
const timeoutSeconds = 5;

/** `script` is a path: what `wrkScript` gave. */
export function wrkArguments(url: string, connections: number, seconds: number, script: string): string[] {
  const timeout = ['--timeout', `${timeoutSeconds}s`];
  return ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', ...timeout, '-s', script, url];
}

/** Paths by their text. */
const scripts = new Map<string, string>();

/**
 * A script of the run for requests with a body of `bodyBytes`, 0 for GETs, each on a connection of its own if
 * `closing`: wrk prints no percentile above 99 by itself.
 */
export function wrkScript(bodyBytes: number, closing = false): string {
  const text = scriptText(bodyBytes, closing);
  let path = scripts.get(text);
  if (path === undefined) {
    const directory = mkdtempSync(join(tmpdir(), 'umbra-bench-wrk-'));
    process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
    path = join(directory, 'wrk.lua');
    writeFileSync(path, text);
    scripts.set(text, path);
  }
  return path;
}

function scriptText(bodyBytes: number, closing: boolean): string {
  const close = closing ? 'wrk.headers["Connection"] = "close"\n' : '';
  const post = bodyBytes === 0 ? '' : `wrk.method = "POST"\nwrk.body = string.rep(".", ${bodyBytes})\n`;
  return `${close}${post}done = function(summary, latency, requests)
  io.write(string.format("p99.9 %dus\\n", latency:percentile(99.9)))
end
`;
}

/** Throws an Error on text that is not a finished run's. */
export function parseWrk(text: string): LoadResult {
  const total = /(\d+) requests in ([\d.]+)(us|ms|s|m|h), /.exec(text);
  if (total === null) throw new Error(`wrk printed no total: ${text.trim()}`);
  const socketErrors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text);
  const badStatuses = /Non-2xx or 3xx responses: (\d+)/.exec(text);
  return {
    requests: Number(total[1]),
    seconds: durationUs(total[2], total[3]) / 1e6,
    errors: sum(socketErrors?.slice(1)) + sum(badStatuses?.slice(1)),
    p50Us: percentileUs(text, 50),
    p99Us: percentileUs(text, 99),
    p999Us: Number(/^p99\.9 (\d+)us$/m.exec(text)?.[1] ?? Number.NaN),
  };
}

function percentileUs(text: string, percentile: number): number {
  const found = new RegExp(`^\\s+${percentile}%\\s+([\\d.]+)(us|ms|s|m|h)$`, 'm').exec(text);
  return found === null ? Number.NaN : durationUs(found[1], found[2]);
}

const unitUs: Record<string, number> = { us: 1, ms: 1e3, s: 1e6, m: 60e6, h: 3600e6 };

function durationUs(value: string, unit: string): number {
  return Number(value) * unitUs[unit];
}

function sum(texts: readonly string[] = []): number {
  return texts.reduce((total, text) => total + Number(text), 0);
}
