/**
 * Tables of counters. A table is one object literal with a row for each counter; the layout of the shared
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
 * The value of a row is the index of its first word, so that `words[field.sent]++` is an increment at a
 * constant index: V8 folds the property of a constant object literal. An object that is built from computed
 * keys was rejected: V8 makes it a dictionary above a dozen keys, and each increment a hash lookup.
 */
import { HdrCounts } from './hdr-counts.js';
import type { Histogram } from './histogram.js';

/** What a snapshot holds for each kind of row. */
export interface KindValue {
  /** Only grows. Snapshots subtract and add. */
  counter: number;
  /**
   * A value now, of which threads and instances have their parts: sums add, an interval has that of its end.
   */
  gauge: number;
  /**
   * A value now that several threads or instances may know of: the highest counts; -1 where nobody knows it.
   */
  highest: number;
  /** Counters, indexed like the row's list of reasons. */
  reasons: readonly number[];
  /** Counters by status code, 100 to 599; only codes that were seen. */
  codes: ReadonlyMap<number, number>;
  /** Values in microseconds. */
  hdr: Histogram;
}
export type Kind = keyof KindValue;

/**
 * The index of a row; `kind` and `stats` exist for the compiler only. `stats` is the part of `/api/stats`
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
 * How a row is shown. A row without a metric or a stats key is read by name, where figures are derived from
 * it.
 */
export interface Shown<Key extends string> {
  /** Name at `/metrics`. A row of reasons has the label `reason`; an HDR row is a summary in seconds. */
  readonly metric?: string;
  /** HELP of the metric: whole sentences that can be understood without any other metric. */
  readonly help?: string;
  /** Labels by which this row differs from others with the same metric. */
  readonly labels?: Readonly<Record<string, string>>;
  /** At `/metrics` only while it is not 0. */
  readonly sparse?: boolean;
  /** At `/metrics` only of mirrors that keep their copies. */
  readonly sinkOnly?: boolean;
  /** Dotted path in the object of `/api/stats`: `compare.equal`. */
  readonly stats?: Key;
}

export interface Row extends Shown<string> {
  readonly name: string;
  readonly kind: Kind;
  /** The first word; of an HDR row, the number of its block. */
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

/** Lays rows out in the order in which they are declared. */
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

  /** The block holds the value plus one, so that a block of zeros says that the value is not known. */
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

  hdr<Figure extends HdrFigure = never, Key extends string = never>(
    shown: Shown<Key> = {},
    figures: readonly Figure[] = [],
  ): Field<'hdr', Under<Key, { readonly [Name in Figure]: number }>> {
    return this.#row('hdr', 0, shown, [], figures);
  }

  /** The table of all rows that were declared; `fields` holds them in that order. */
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
