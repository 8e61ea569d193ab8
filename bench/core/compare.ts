/**
 * What a pair costs on the two threads that see its responses, against a no-op and against the part that
 * every copy has anyway: its HEAD frame.
 *
 *   node dist/bench/core/compare.js
 */
import { Comparer } from '../../core/compare/compare.js';
import { exact } from '../../core/compare/decimal.js';
import { digestBody, digestFields } from '../../core/compare/digest.js';
import { EndpointBatch, EndpointPair } from '../../core/compare/endpoint-batch.js';
import type { PairSide } from '../../core/compare/pair-port.js';
import { Framing, RequestHead } from '../../core/http/message.js';
import { ResponseHead } from '../../core/http/response-head.js';
import { scanHead } from '../../core/http/response-head-scanner.js';
import { CopySource, FrameFlag, Numbers, Outcome, Seen } from '../../core/mirror/codec.js';
import { MirrorPort } from '../../core/mirror/port.js';
import { Differs, MirrorCounters } from '../../core/record/mirror-counters.js';
import { createDoorbell, Doorbell } from '../../core/ring/doorbell.js';
import { FrameType } from '../../core/ring/frame.js';
import { createRing } from '../../core/ring/layout.js';
import { type FrameHandler, type ReadFrame, RingReader } from '../../core/ring/reader.js';
import { RingWriter } from '../../core/ring/writer.js';
import { measured, printTable } from './measure.js';

/** Exchanges of one turn of the loop. */
const turn = 32;
const ring = createRing(4 * 1024 * 1024);
const port = new MirrorPort(new RingWriter(ring, new Doorbell(createDoorbell())), () => {});
const reader = new RingReader(ring);
const counters = new MirrorCounters(MirrorCounters.create());
const told = Object.assign(new Outcome(), { status: 200, latencyUs: 900, responseBytes: 295 });

/** The shadow's side of a pair: reads the outcome, compares, counts. */
class Pairing implements FrameHandler {
  readonly #outcome = new Outcome();
  #numbers: Numbers | null = null;
  paired = 0;

  onFrame({ type, exchangeId: id, bytes, start }: ReadFrame): void {
    if (type !== FrameType.OUTCOME) return;
    this.#numbers ??= new Numbers(bytes);
    const outcome = this.#outcome;
    outcome.read(this.#numbers, start);
    let differs = 0;
    if (outcome.status !== 200) differs |= Differs.STATUS;
    if (outcome.responseBytes !== 295) differs |= Differs.SIZE;
    if ((outcome.seen & Seen.FIELDS_DIGEST) !== 0 && outcome.fieldsDigest !== 1) differs |= Differs.HEADER;
    counters.recordDelta((id & 1023) - outcome.latencyUs);
    counters.paired(differs);
    this.paired++;
  }
}

const pairing = new Pairing();
const request = Object.assign(new RequestHead(), {
  target: '/reviews/1',
  host: 'reviews',
  framing: Framing.NONE,
});
request.fields = 'accept: */*\r\nuser-agent: bench/1.0\r\nx-request-id: 0123456789abcdef\r\n';
const source = new CopySource();
source.take(request);

const head = new ResponseHead();
const headBytes = Buffer.from(
  'HTTP/1.1 200 OK\r\nserver: origin\r\ndate: Thu, 01 Jan 2026 00:00:00 GMT\r\ncontent-type: application/json; charset=utf-8\r\n' +
    'content-length: 295\r\netag: "0123456789"\r\ncache-control: no-store\r\nvary: accept\r\nx-request-id: 0123456789abcdef\r\n\r\n',
);
head.begin(headBytes, 0);
scanHead(head, headBytes.length);
const small = Buffer.alloc(295, 'a');
const large = Buffer.alloc(16 * 1024, 'a');

function turns(times: number, each: (i: number) => void): number {
  for (let i = 0; i < times; i += turn) {
    for (let j = 0; j < turn; j++) each(i + j);
    port.flush();
    reader.drain(pairing, 2 * turn);
  }
  return pairing.paired;
}

const noOp = measured('no-op', (times) => {
  let sum = 0;
  for (let i = 0; i < times; i++) sum += i & 7;
  return sum;
});
const headFrame = measured('a HEAD frame, into the ring and out (what every copy has)', (times) =>
  turns(times, (i) => port.offerHead(0, i, source, FrameFlag.LAST, counters)),
);
const pair = measured('a pair: outcome into the ring and out, compared, counted', (times) =>
  turns(times, (i) => port.outcome(i, told)),
);
const batch = new EndpointBatch();
const endpointPair = new EndpointPair();
endpointPair.shadowUs = 950;
const targets = Array.from({ length: 1000 }, (_, i) => `/users/${i}/orders?page=${i}`);
const endpoint = measured('a pair counted by its endpoint (shadow thread)', (times) => {
  for (let i = 0; i < times; i++) {
    if (batch.isFull) batch.clear();
    endpointPair.primaryUs = 900 + (i & 7);
    batch.add(0, counters, 'GET', targets[i % targets.length], endpointPair);
  }
  return batch.bytes;
});
const fields1 = measured('one field of a head of eight, hashed (each side)', (times) => {
  let sum = 0;
  for (let i = 0; i < times; i++) sum += digestFields(head, ['content-type']);
  return sum;
});
const fields3 = measured('three fields, hashed (each side)', (times) => {
  let sum = 0;
  for (let i = 0; i < times; i++) sum += digestFields(head, ['content-type', 'etag', 'location']);
  return sum;
});
const body = (bytes: Buffer) => (times: number) => {
  let sum = 0;
  for (let i = 0; i < times; i++) sum += digestBody(bytes, 0);
  return sum;
};

printTable('comparing a pair', [
  noOp,
  pair,
  endpoint,
  fields1,
  fields3,
  measured('checksum of a body of 295 bytes (each side)', body(small)),
  measured('checksum of a body of 16 KiB (each side)', body(large)),
  headFrame,
]);
const limitNs = 1000;
const total = pair.nsPerRun + endpoint.nsPerRun + 2 * fields1.nsPerRun;
console.log(
  `\n  a pair without bodies, one field on both sides: ${total.toFixed(0)} ns, ${total <= limitNs ? 'within' : 'OVER'} ${limitNs} ns`,
);

const structure = {
  ignoreHeaders: [],
  ignorePaths: [],
  tolerance: exact,
  arrays: 'ordered',
  rules: [],
  protobuf: null,
  reflection: false,
} as const;
const comparer = new Comparer({ structure, redact: { defaults: true, headers: [], query: [], json: [] } });
/** Two answers of one service, each with values of its own. */
const answers = (type: string, body: () => string): readonly (readonly [PairSide, PairSide])[] => {
  const side = (): PairSide => ({
    status: 200,
    head: Buffer.from(`200 OK\r\ncontent-type: ${type}\r\nserver: origin\r\ndate: Thu, 01 Jan 2026\r\n`),
    body: Buffer.from(body()),
    truncated: false,
  });
  return Array.from({ length: 64 }, () => [side(), side()]);
};
const apart = (pairs: readonly (readonly [PairSide, PairSide])[]) => (times: number) => {
  let sum = 0;
  for (let i = 0; i < times; i++) {
    const [primary, shadow] = pairs[i % pairs.length];
    sum += comparer.compare(primary, shadow, '/').differences.length;
  }
  return sum;
};
const nonce = (): string => Math.random().toString(36).slice(2);
const textLines = (count: number): string =>
  Array.from({ length: count }, (_, i) => `line ${i} of a text ${i % 30 === 3 ? nonce() : ''}`).join('\n');
printTable('taking a pair apart (analyst thread): each answer has a nonce, or three', [
  measured('text of 8 lines', apart(answers('text/plain', () => textLines(8)))),
  measured('text of 100 lines', apart(answers('text/plain', () => textLines(100)))),
  measured(
    'HTML of 60 elements',
    apart(answers('text/html', () => `<p nonce="${nonce()}">${'<p>a line of text</p>'.repeat(60)}`)),
  ),
  measured(
    'JSON of 230 bytes',
    apart(answers('application/json', () => JSON.stringify({ id: nonce(), text: 'x'.repeat(200) }))),
  ),
]);
