/**
 * A process: requests at a fixed rate, whatever the answers do. Arguments: URL, requests a second,
 * connections, seconds, bytes of a body (0: GET, else POST). Prints a PacedResult.
 *
 * A request that is due takes a free connection, or waits for one, and its latency counts from the moment it
 * was taken up as due: waiting is part of it (no coordinated omission). What the timer itself is late by,
 * about a millisecond, is this process's own and is reported apart.
 */
import { connect, type Socket } from 'node:net';
import { HdrCounts } from '../../core/record/hdr-counts.js';
import { Histogram } from '../../core/record/histogram.js';
import { AnswerReader } from './answer-reader.js';

export interface PacedResult {
  readonly due: number;
  readonly answers: number;
  /**
   * Connections that failed or ended, answers that are not 200, and requests that were sent and got no
   * answer.
   */
  readonly errors: number;
  /** Requests that no connection was free for until the end: the rate is more than this machine can take. */
  readonly unsent: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly maxUs: number;
  /** Most that the generator itself was behind its schedule. */
  readonly lateUs: number;
}

const tickMs = 1;
/** The answers to the last requests may take this long. */
const tailMs = 2000;

class Caller {
  readonly socket: Socket;
  /** 0 while it is free. */
  sinceMs = 0;

  constructor(port: number, host: string) {
    this.socket = connect({ port, host, noDelay: true });
    const reader = new AnswerReader();
    this.socket.on('connect', () => free.push(this));
    this.socket.on('data', (chunk) => {
      const ended = reader.read(chunk);
      if (ended > 0 && this.sinceMs > 0) answered(this, reader.status);
    });
    this.socket.on('error', () => {});
    this.socket.on('close', () => closed(this));
  }

  send(sinceMs: number): void {
    this.sinceMs = sinceMs;
    this.socket.write(request);
  }
}

const [urlText, rateText, connectionsText, secondsText, bodyText = '0'] = process.argv.slice(2);
const url = new URL(urlText);
const bodyBytes = Number(bodyText);
const fields = `host: ${url.host}\r\nuser-agent: bench\r\n`;
const request = Buffer.from(
  bodyBytes === 0
    ? `GET ${url.pathname} HTTP/1.1\r\n${fields}\r\n`
    : `POST ${url.pathname} HTTP/1.1\r\n${fields}content-length: ${bodyBytes}\r\n\r\n${'.'.repeat(bodyBytes)}`,
);
const rate = Number(rateText);
const total = Math.round(rate * Number(secondsText));
const counts = new HdrCounts(new SharedArrayBuffer(HdrCounts.bytes), 0);
const free: Caller[] = [];
/** When each request that has no connection yet became due. */
const waiting: number[] = [];
let due = 0;
let answers = 0;
/** Requests whose connection ended before their answer. */
let lost = 0;
/** Answers that are not 200, and connections that ended while they were free. */
let others = 0;
let lateMs = 0;
let ending = false;

function answered(caller: Caller, status: number): void {
  const nowMs = performance.now();
  counts.record((nowMs - caller.sinceMs) * 1000);
  answers++;
  if (status !== 200) others++;
  caller.sinceMs = 0;
  const next = waiting.shift();
  if (next !== undefined) caller.send(next);
  else free.push(caller);
  if (ending && answers + lost >= total) finish();
}

function closed(caller: Caller): void {
  if (ending && caller.sinceMs === 0) return;
  if (caller.sinceMs > 0) lost++;
  else others++;
  const at = free.indexOf(caller);
  if (at >= 0) free.splice(at, 1);
  new Caller(Number(url.port), url.hostname);
}

let beginMs = 0;

function tick(): void {
  const nowMs = performance.now();
  const target = Math.min(total, Math.floor(((nowMs - beginMs) * rate) / 1000));
  if (target > due) lateMs = Math.max(lateMs, nowMs - beginMs - ((due + 1) * 1000) / rate);
  for (; due < target; due++) {
    const caller = free.shift();
    if (caller !== undefined) caller.send(nowMs);
    else waiting.push(nowMs);
  }
  if (due < total) return;
  clearInterval(timer);
  ending = true;
  setTimeout(finish, tailMs);
  if (answers + lost >= total) finish();
}

let isFinished = false;

function finish(): void {
  if (isFinished) return;
  isFinished = true;
  const latency = Histogram.read([counts]);
  const result: PacedResult = {
    due,
    answers,
    errors: others + total - answers - waiting.length,
    unsent: waiting.length,
    p50Us: latency.percentileUs(50),
    p99Us: latency.percentileUs(99),
    p999Us: latency.percentileUs(99.9),
    maxUs: latency.maxUs,
    lateUs: lateMs * 1000,
  };
  process.stdout.write(JSON.stringify(result), () => process.exit());
}

const connections = Array.from(
  { length: Number(connectionsText) },
  () => new Caller(Number(url.port), url.hostname),
);
await Promise.all(
  connections.map(
    ({ socket }) => new Promise((resolve) => socket.once('connect', resolve).once('error', resolve)),
  ),
);
beginMs = performance.now();
const timer = setInterval(tick, tickMs);
