/**
 * Reading a response head and writing it for a client: our reader against Node's llhttp binding and against
 * `http-parser-js`, with a no-op that only touches the bytes as the floor. Each line is the best of several
 * rounds, so that another process on the machine costs least.
 *
 *   node dist/bench/core/http.js
 */
import { createRequire } from 'node:module';
import { writeRequestHead } from '../../core/http/request-writer.js';
import { type ResponseHead, Without } from '../../core/http/response-head.js';
import { type ReaderSink, ResponseReader } from '../../core/http/response-reader.js';
import { requestOf } from '../../test/support/request.js';

const ROUNDS = 7;
const ROUND_MS = 120;

const typical = [
  'Server: nginx/1.22.1',
  'Date: Tue, 05 Aug 2025 10:00:00 GMT',
  'Content-Type: application/json; charset=utf-8',
  'Content-Length: 295',
  'Connection: keep-alive',
  'Cache-Control: no-store',
  'X-Request-Id: 5f0c1a2b3c4d5e6f7a8b9c0d',
];
const rich = [
  ...typical,
  'Strict-Transport-Security: max-age=31536000; includeSubDomains; preload',
  "Content-Security-Policy: default-src 'self'; img-src 'self' data: https://images.example.com; script-src 'self'",
  'Set-Cookie: session=0123456789abcdef0123456789abcdef0123456789abcdef; Path=/; HttpOnly; Secure; SameSite=Lax',
  'Set-Cookie: theme=dark; Path=/; Max-Age=31536000; SameSite=Lax',
  'Vary: Accept-Encoding, Origin, Accept-Language',
  'ETag: W/"127-6f5902ac237024bdd0c176cb93063dc4"',
  'Last-Modified: Mon, 04 Aug 2025 09:00:00 GMT',
  'Access-Control-Allow-Origin: https://shop.example.com',
  'Access-Control-Allow-Credentials: true',
  'Referrer-Policy: strict-origin-when-cross-origin',
  'X-Content-Type-Options: nosniff',
  'X-Envoy-Upstream-Service-Time: 12',
];

function response(fields: readonly string[]): Buffer {
  return Buffer.from(`HTTP/1.1 200 OK\r\n${fields.join('\r\n')}\r\n\r\n${'x'.repeat(295)}`);
}

/** Nanoseconds per call of `run`, the best round. */
function measure(run: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.hrtime.bigint();
    const end = start + BigInt(ROUND_MS * 1e6);
    let calls = 0;
    let now = start;
    while (now < end) {
      for (let i = 0; i < 200; i++) run();
      calls += 200;
      now = process.hrtime.bigint();
    }
    best = Math.min(best, Number(now - start) / calls);
  }
  return best;
}

class Forwarding implements ReaderSink {
  readonly out = Buffer.alloc(64 * 1024);
  written = 0;
  bytes = 0;
  onInterim(): void {}
  onHead(head: ResponseHead): void {
    this.written += head.writeForward(this.out, Without.DATE);
  }
  onBody(bytes: Uint8Array): void {
    this.bytes += bytes.length;
  }
  onTrailers(): void {}
  onEnd(): void {}
}

class Scanning extends Forwarding {
  override onHead(head: ResponseHead): void {
    this.written += head.fieldCount;
  }
}

function ours(bytes: Buffer, sink: Forwarding): () => void {
  const reader = new ResponseReader(sink);
  return () => {
    reader.reset(sink, false);
    reader.feed(bytes, 0, bytes.length);
  };
}

/** What any reader must at least do: look at every byte once. */
function floor(bytes: Buffer): () => void {
  return () => {
    for (let i = 0; i < bytes.length; i++) touched = (touched + bytes[i]!) | 0;
  };
}
/** Kept, so that the loop is not optimised away. */
let touched = 0;

const RESPONSE = 2;

interface Parser {
  initialize?(type: number, resource: object): void;
  reinitialize?(type: number): void;
  execute(bytes: Buffer, start?: number, length?: number): number | Error;
  [callback: number | string]: unknown;
}
interface ParserClass {
  new (type?: number | string): Parser;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
  readonly RESPONSE: number | string;
}

/** A parser with Node's interface, with its fields joined again as a proxy would have to write them. */
function rival(parserClass: ParserClass, bytes: Buffer, native: boolean): () => void {
  const parser = native ? new parserClass() : new parserClass(parserClass.RESPONSE);
  const begin = (): void => {
    if (native) parser.initialize!(RESPONSE, {});
    else parser.reinitialize?.(parserClass.RESPONSE as number);
  };
  begin();
  parser[parserClass.kOnHeadersComplete] = (...args: unknown[]): number => {
    const info = args[0] as { headers?: string[] };
    const fields = (native ? args[2] : (info.headers ?? args[2])) as string[];
    let head = '200 OK';
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i]!.toLowerCase();
      if (name === 'date' || name === 'content-length' || name === 'connection') continue;
      head += `\r\n${fields[i]}: ${fields[i + 1]}`;
    }
    touched = (touched + head.length) | 0;
    return 0;
  };
  parser[parserClass.kOnBody] = () => undefined;
  parser[parserClass.kOnMessageComplete] = () => undefined;
  return () => {
    const result = native ? parser.execute(bytes) : parser.execute(bytes, 0, bytes.length);
    if (result !== bytes.length) throw new Error('the rival did not understand');
  };
}

function rivals(): [string, ParserClass, boolean][] {
  const found: [string, ParserClass, boolean][] = [];
  const require = createRequire(import.meta.url);
  try {
    const binding = (process as unknown as { binding(name: string): { HTTPParser: ParserClass } }).binding(
      'http_parser',
    );
    found.push(['node (llhttp)', binding.HTTPParser, true]);
  } catch {
    console.log('node (llhttp): not to be had here');
  }
  try {
    found.push([
      'http-parser-js',
      (require('http-parser-js') as { HTTPParser: ParserClass }).HTTPParser,
      false,
    ]);
  } catch {
    console.log('http-parser-js: not installed');
  }
  return found;
}

// The binding is the rival on purpose; its deprecation is no news here.
process.noDeprecation = true;

for (const [name, fields] of [
  ['typical', typical],
  ['rich', rich],
] as const) {
  const bytes = response(fields);
  const headBytes = bytes.indexOf('\r\n\r\n') + 4;
  console.log(`\n${name}: head of ${headBytes} bytes, ${fields.length} fields, body of 295`);
  const forward = measure(ours(bytes, new Forwarding()));
  const line = (what: string, ns: number): void =>
    console.log(
      `  ${what.padEnd(28)} ${ns.toFixed(0).padStart(6)} ns  ${(ns / forward).toFixed(2).padStart(6)} x`,
    );
  line('umbra: read and forward', forward);
  line('umbra: read only', measure(ours(bytes, new Scanning())));
  line('no-op: touch each byte', measure(floor(bytes.subarray(0, headBytes))));
  for (const [rivalName, parserClass, native] of rivals())
    line(rivalName, measure(rival(parserClass, bytes, native)));
}

const target = '/reviews/0?locale=en';
const fields = 'accept: */*\r\nuser-agent: bench/1\r\nx-request-id: 5f0c1a2b3c4d5e6f7a8b9c0d\r\n';
const head = requestOf({ target, host: 'reviews.example.com', fields });
const block = Buffer.alloc(64 * 1024);
const writing = measure(() => {
  block.write(writeRequestHead(head), 0, 'latin1');
});
console.log(`\nrequest head, written into a block: ${writing.toFixed(0)} ns`);
if (Number.isNaN(touched)) console.log(touched);
