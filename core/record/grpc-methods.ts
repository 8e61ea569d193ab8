/**
 * gRPC calls by method, as one thread counts them for one version in one role: calls by status, messages, and
 * how long calls took. It is a part of the version's shared block, and its pages stay uncommitted without
 * gRPC.
 *
 *   used           methods with a row                                                      1 word
 *   row, 65 times  calls by status, calls without a whole response, messages sent and
 *                  received, buckets, sum of microseconds; the last row is `other`          f64 each
 *   name, 64 times length and bytes, padded                                                 17 words
 *
 * A client may send any path, and a row is never given up. So a method gets a row with the first answer that
 * only a server that has the method gives (`GrpcCall.hasMethod`). Until then, and when the table is full, its
 * calls count in `other` (docs/decisions/103).
 */
import type { GrpcCall } from '../grpc/grpc-call.js';
import { grpcMethodOf } from '../grpc/grpc-method.js';
import { grpcStatusNames } from '../grpc/grpc-status.js';
import { limits } from '../limits.js';

/** The method of calls that have no row. No method is called so, because each has a slash. */
const OTHER_METHOD = 'other';
/** Upper bounds of the buckets in seconds. */
export const GRPC_BUCKETS_S = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
] as const;
const bucketsUs = GRPC_BUCKETS_S.map((seconds) => seconds * 1e6);

/** The column of calls without a whole response, behind those of the statuses. */
const FAILED = grpcStatusNames.length;
const SENT = FAILED + 1;
const RECEIVED = SENT + 1;
const BUCKET = RECEIVED + 1;
const SUM = BUCKET + bucketsUs.length + 1;
const ROW_WORDS = SUM + 1;

const USED = 0;
const ROWS = 1;
const OTHER = limits.grpcMethods;
const NAMES = ROWS + (limits.grpcMethods + 1) * ROW_WORDS;
const BYTES_PER_WORD = Float64Array.BYTES_PER_ELEMENT;
const NAME_WORDS = 1 + limits.grpcMethodBytes / BYTES_PER_WORD;
/** What a name consists of. Reading it through floats is exact, because no byte of a NaN is among these. */
const nameSyntax = /^[\x21-\x7d]+$/;

/** The calls of one method, summed over threads. Names are a contract: add, never rename. */
export interface GrpcMethodCounts {
  /** `package.Service/Method`, or `other`. */
  readonly method: string;
  /** By gRPC status. */
  readonly statuses: readonly number[];
  /** Calls that ended without a whole response. */
  readonly failed: number;
  readonly messagesSent: number;
  readonly messagesReceived: number;
  /** Calls with a whole response, by bucket; not cumulative. The last one is above all bounds. */
  readonly buckets: readonly number[];
  readonly sumUs: number;
}

/** Where words are read; a block of counters. */
interface Words {
  wordAt(index: number): number;
}

export class GrpcMethods {
  static readonly words = NAMES + limits.grpcMethods * NAME_WORDS;

  readonly #words: Float64Array;
  /** Rows by target; null until the first call. */
  #rows: Map<string, number> | null = null;

  /** `words` begins as zeros, or as what an earlier thread left. */
  constructor(words: Float64Array) {
    this.#words = words;
  }

  /** A call that was sent to `target` has its whole response. `hasMethod`: the method may get a row. */
  answered(target: string, { status, sent, received }: GrpcCall, hasMethod: boolean, tookUs: number): void {
    const words = this.#words;
    const at = this.#rowOf(target, hasMethod);
    words[at + status]++;
    words[at + SENT] += sent.messages;
    words[at + RECEIVED] += received.messages;
    let bucket = 0;
    while (bucket < bucketsUs.length && tookUs > bucketsUs[bucket]) bucket++;
    words[at + BUCKET + bucket]++;
    words[at + SUM] += tookUs;
  }

  /** A call ended without a whole response. */
  failed(target: string): void {
    this.#words[this.#rowOf(target, false) + FAILED]++;
  }

  /** Returns the first word of the row. It allocates only when a method gets its row. */
  #rowOf(target: string, hasMethod: boolean): number {
    this.#rows ??= this.#known();
    const known = this.#rows.get(target);
    const row = known ?? (hasMethod && this.#rows.size < limits.grpcMethods ? this.#begin(target) : OTHER);
    return ROWS + row * ROW_WORDS;
  }

  #begin(target: string): number {
    const name = grpcMethodOf(target);
    if (name === null || name.length !== target.length - 1) return OTHER;
    if (name.length > limits.grpcMethodBytes || !nameSyntax.test(name)) return OTHER;
    const words = this.#words;
    const row = words[USED];
    const at = NAMES + row * NAME_WORDS;
    const bytes = Buffer.from(words.buffer, words.byteOffset + (at + 1) * BYTES_PER_WORD, name.length);
    bytes.write(name, 'latin1');
    words[at] = name.length;
    // Readers take a row from now on.
    words[USED]++;
    // A string of its own, because `target` may be a part of a whole block of header fields.
    this.#rows!.set(`/${bytes.toString('latin1')}`, row);
    return row;
  }

  #known(): Map<string, number> {
    const words = this.#words;
    const source = { wordAt: (index: number) => words[index] };
    return new Map(Array.from({ length: words[USED] }, (_, row) => [`/${nameAt(source, 0, row)}`, row]));
  }

  /** The sum over `blocks`, in each of which the table begins at `index`; `other` stands last. */
  static read(blocks: readonly Words[], index: number): GrpcMethodCounts[] {
    return blocks.map((block) => readBlock(block, index)).reduce<GrpcMethodCounts[]>(addGrpcMethods, []);
  }
}

function readBlock(block: Words, index: number): GrpcMethodCounts[] {
  const methods: GrpcMethodCounts[] = [];
  for (let row = 0; row < block.wordAt(index + USED); row++) {
    methods.push(readRow(block, index, row, nameAt(block, index, row)));
  }
  const other = readRow(block, index, OTHER, OTHER_METHOD);
  return grpcCalls(other) === 0 ? methods : [...methods, other];
}

function readRow(block: Words, index: number, row: number, method: string): GrpcMethodCounts {
  const from = index + ROWS + row * ROW_WORDS;
  const word = (at: number): number => block.wordAt(from + at);
  return {
    method,
    statuses: grpcStatusNames.map((_, status) => word(status)),
    failed: word(FAILED),
    messagesSent: word(SENT),
    messagesReceived: word(RECEIVED),
    buckets: Array.from({ length: bucketsUs.length + 1 }, (_, bucket) => word(BUCKET + bucket)),
    sumUs: word(SUM),
  };
}

function nameAt(block: Words, index: number, row: number): string {
  const from = index + NAMES + row * NAME_WORDS;
  const words = Float64Array.from({ length: NAME_WORDS - 1 }, (_, word) => block.wordAt(from + 1 + word));
  return Buffer.from(words.buffer).toString('latin1', 0, block.wordAt(from));
}

/** Calls of a method that are over. */
export function grpcCalls({ statuses, failed }: GrpcMethodCounts): number {
  return statuses.reduce((sum, count) => sum + count, failed);
}

/** The sum of two lists; `other` stands last. */
export function addGrpcMethods(
  a: readonly GrpcMethodCounts[],
  b: readonly GrpcMethodCounts[],
): GrpcMethodCounts[] {
  return combineMethods(a, b, (x, y) => x + y);
}

/** What happened between two lists of the same blocks; methods without a call since are left out. */
export function subtractGrpcMethods(
  later: readonly GrpcMethodCounts[],
  earlier: readonly GrpcMethodCounts[],
): GrpcMethodCounts[] {
  return combineMethods(later, earlier, (x, y) => x - y).filter((one) => grpcCalls(one) > 0);
}

function combineMethods(
  a: readonly GrpcMethodCounts[],
  b: readonly GrpcMethodCounts[],
  of: (a: number, b: number) => number,
): GrpcMethodCounts[] {
  const all = new Map([...b, ...a].map(({ method }) => [method, nothing(method)]));
  for (const one of a) all.set(one.method, one);
  for (const two of b) {
    const one = all.get(two.method)!;
    const each = (x: readonly number[], y: readonly number[]) => x.map((value, i) => of(value, y[i] ?? 0));
    all.set(two.method, {
      method: two.method,
      statuses: each(one.statuses, two.statuses),
      failed: of(one.failed, two.failed),
      messagesSent: of(one.messagesSent, two.messagesSent),
      messagesReceived: of(one.messagesReceived, two.messagesReceived),
      buckets: each(one.buckets, two.buckets),
      sumUs: of(one.sumUs, two.sumUs),
    });
  }
  const rank = ({ method }: GrpcMethodCounts): number => (method === OTHER_METHOD ? 1 : 0);
  return [...all.values()].sort((x, y) => rank(x) - rank(y));
}

function nothing(method: string): GrpcMethodCounts {
  return {
    method,
    statuses: grpcStatusNames.map(() => 0),
    failed: 0,
    messagesSent: 0,
    messagesReceived: 0,
    buckets: Array.from({ length: bucketsUs.length + 1 }, () => 0),
    sumUs: 0,
  };
}

/**
 * The quantile of a histogram in microseconds, linear within its bucket as `histogram_quantile` of Prometheus
 * is. Above the last bound it is that bound. 0 when empty.
 */
export function bucketQuantileUs({ buckets }: Pick<GrpcMethodCounts, 'buckets'>, quantile: number): number {
  const rank = quantile * buckets.reduce((sum, count) => sum + count, 0);
  if (rank === 0) return 0;
  let seen = 0;
  for (const [bucket, count] of buckets.entries()) {
    if (count > 0 && seen + count >= rank) {
      const low = bucket === 0 ? 0 : bucketsUs[bucket - 1];
      const high = bucketsUs[bucket] ?? low;
      return Math.round(low + ((rank - seen) / count) * (high - low));
    }
    seen += count;
  }
  return bucketsUs[bucketsUs.length - 1];
}
