/**
 * Tables of counters. A table is one object literal with a row for each counter. The layout of the shared
 * block (counter-block), snapshots with their sums and differences (snapshot), `/api/stats`
 * (report/table-stats) and `/metrics` (report/table-metrics) all follow from it.
 *
 *   const rows = new CounterRows();
 *   const field = {
 *     sent: rows.counter({ metric: 'umbra_mirror_sent_total', help: '...', stats: 'sent' }),
 *     ...
 *   };
 *   export const mirrorTable = rows.named(field);
 *
 * The value of a row is the index of its first word, so that `words[field.sent]++` increments at a constant
 * index: V8 folds the property of a constant object literal. Building the object from computed keys was
 * rejected: above a dozen keys V8 makes it a dictionary, and each increment becomes a hash lookup.
 */
import { type GrpcMethodCounts, GrpcMethods } from './grpc-methods.js';
import { HdrCounts } from './hdr-counts.js';
import type { Histogram } from './histogram.js';

/** The value of each kind of row in a snapshot. */
export interface KindValue {
  /** A value that only grows. Snapshots subtract and add it. */
  counter: number;
  /**
   * A current value that is split over threads and instances. A sum adds the parts; an interval has the value
   * at its end.
   */
  gauge: number;
  /**
   * A current value that several threads or instances may know. The highest one counts; -1 where none knows
   * it.
   */
  highest: number;
  /** Counters, indexed like the row's list of reasons. */
  reasons: readonly number[];
  /** Counters by status code, 100 to 599; only codes that were seen. */
  codes: ReadonlyMap<number, number>;
  /** Values in microseconds. */
  hdr: Histogram;
  /** gRPC calls by method. */
  methods: readonly GrpcMethodCounts[];
}
export type Kind = keyof KindValue;

/**
 * The index of a row. `kind` and `stats` exist for the compiler only; `stats` is the part of `/api/stats`
 * that the row fills.
 */
export type Field<K extends Kind = Kind, Stats = unknown> = number & {
  readonly kind: K;
  readonly stats: Stats;
};
export type Fields = Readonly<Record<string, Field>>;

/** A snapshot of a block with the rows `F`. */
export type SnapshotOf<F> = {
  readonly [Name in keyof F]: F[Name] extends Field<infer K> ? KindValue[K] : never;
};

/** The part of `/api/stats` that the rows `F` fill. */
export type StatsOf<F> = Intersection<F[keyof F] extends Field<Kind, infer Stats> ? Stats : never>;
type Intersection<Union> = (Union extends unknown ? (part: Union) => void : never) extends (
  whole: infer Whole,
) => void
  ? Whole
  : never;
/** `value` under the dotted path `key`. */
type Under<Key extends string, Value> = Key extends `${infer First}.${infer Rest}`
  ? { readonly [Name in First]: Under<Rest, Value> }
  : { readonly [Name in Key]: Value };

/** Figures of a histogram, as `/api/stats` names them. */
export type HdrFigure = 'count' | 'mean' | 'p50' | 'p90' | 'p99' | 'p999' | 'max';

/**
 * How a row is shown. A row without a metric or a stats key is only read by name, and other figures are
 * derived from it.
 */
export interface Shown<Key extends string> {
  /**
   * Name in `/metrics`. A row of reasons has the label `reason` or `label`; an HDR row is a summary in
   * seconds.
   */
  readonly metric?: string;
  /** HELP text of the metric: full sentences that do not depend on any other metric. */
  readonly help?: string;
  /** Label of a row of reasons, where it is not `reason`. */
  readonly label?: string;
  /** Labels that distinguish this row from others with the same metric. */
  readonly labels?: Readonly<Record<string, string>>;
  /** The row is in `/metrics` only while it is not 0. */
  readonly sparse?: boolean;
  /** The row is in `/metrics` only for mirrors with a sink. */
  readonly sinkOnly?: boolean;
  /** Name and HELP text for mirrors with a sink, where the row counts something else. */
  readonly ofSink?: { readonly metric: string; readonly help: string };
  /** Dotted path in the object of `/api/stats`, such as `compare.equal`. */
  readonly stats?: Key;
}

export interface Row extends Shown<string> {
  readonly name: string;
  readonly kind: Kind;
  /** Index of the first word; for an HDR row, the number of its block. */
  readonly index: number;
  readonly reasons: readonly string[];
  readonly figures: readonly HdrFigure[];
}

export const CODE_FIRST = 100;
export const CODE_LAST = 599;

/** A finished table. */
export interface CounterTable<F extends Fields = Fields> {
  readonly rows: readonly Row[];
  readonly words: number;
  readonly hdrs: number;
  /** Bytes of the shared block: the words, then the HDR blocks. */
  readonly bytes: number;
  /** `fields` exists for the compiler only. */
  readonly fields?: F;
}

/** `CounterRows` lays rows out in the order of their declaration. */
export class CounterRows {
  readonly #rows: Omit<Row, 'name'>[] = [];
  #words = 0;
  #hdrs = 0;

  counter<Key extends string = never>(shown: Shown<Key> = {}): Field<'counter', Under<Key, number>> {
    return this.#row('counter', 1, shown);
  }

  gauge<Key extends string = never>(shown: Shown<Key> = {}): Field<'gauge', Under<Key, number>> {
    return this.#row('gauge', 1, shown);
  }

  /** The block holds the value plus one, so that a block of zeros stands for an unknown value. */
  highest<Key extends string = never>(shown: Shown<Key> = {}): Field<'highest', Under<Key, number | null>> {
    return this.#row('highest', 1, shown);
  }

  reasons<Reason extends string, Key extends string = never>(
    reasons: readonly Reason[],
    shown: Shown<Key> = {},
  ): Field<'reasons', Under<Key, Readonly<Record<Reason, number>>>> {
    return this.#row('reasons', reasons.length, shown, reasons);
  }

  codes(): Field<'codes', never> {
    return this.#row('codes', CODE_LAST - CODE_FIRST + 1, {});
  }

  methods(): Field<'methods', never> {
    return this.#row('methods', GrpcMethods.words, {});
  }

  hdr<Figure extends HdrFigure = never, Key extends string = never>(
    shown: Shown<Key> = {},
    figures: readonly Figure[] = [],
  ): Field<'hdr', Under<Key, { readonly [Name in Figure]: number }>> {
    return this.#row('hdr', 0, shown, [], figures);
  }

  /** `named` returns the table of all declared rows; `fields` holds them in the same order. */
  named<F extends Fields>(fields: F): CounterTable<F> {
    const names = Object.keys(fields);
    const wordBytes = this.#words * Float64Array.BYTES_PER_ELEMENT;
    return {
      rows: this.#rows.map((row, i) => ({ ...row, name: names[i] })),
      words: this.#words,
      hdrs: this.#hdrs,
      bytes: wordBytes + this.#hdrs * HdrCounts.bytes,
    };
  }

  #row<K extends Kind, Stats>(
    kind: K,
    width: number,
    shown: Shown<string>,
    reasons: readonly string[] = [],
    figures: readonly HdrFigure[] = [],
  ): Field<K, Stats> {
    const index = kind === 'hdr' ? this.#hdrs++ : this.#words;
    this.#words += width;
    this.#rows.push({ ...shown, kind, index, reasons, figures });
    return index as Field<K, Stats>;
  }
}
