import type { Registry } from 'prom-client';
import type { CounterTable, Row } from '../record/counter-table.js';
import type { Histogram } from '../record/histogram.js';
import { DerivedMetric } from './derived-metric.js';
import { counter, gauge } from './metric.js';
import { type Feature, isPossible } from './possible.js';

/** One snapshot with the labels of all its samples. */
export interface LabelledSnapshot {
  readonly labels: Readonly<Record<string, string>>;
  readonly counts: Readonly<Record<string, unknown>>;
  /** Copies are kept by a sink, not sent. */
  readonly isSink?: boolean;
  /** What the plan has; series that need something else are left out while they are 0. */
  readonly features?: readonly Feature[] | undefined;
}

/**
 * `addTable` adds every row of `table` with a metric, for each snapshot. `labelNames` are all names that
 * `labels` may have.
 */
export function addTable(
  registry: Registry,
  table: CounterTable,
  labelNames: readonly string[],
  snapshots: readonly LabelledSnapshot[],
): void {
  for (const row of table.rows) {
    if (row.metric === undefined) continue;
    const addOther = adder(registry, row, labelNames);
    const addSink =
      row.ofSink === undefined ? addOther : adder(registry, { ...row, ...row.ofSink }, labelNames);
    for (const { labels, counts, isSink, features } of snapshots) {
      if (row.sinkOnly && !isSink) continue;
      const add = isSink ? addSink : addOther;
      add({ ...labels, ...row.labels }, counts[row.name], features);
    }
  }
}

type Labels = Record<string, string>;

/**
 * `adder` returns a function that adds a value of the row's kind to its metric, which is created with its
 * first row.
 */
function adder(
  registry: Registry,
  row: Row,
  labelNames: readonly string[],
): (labels: Labels, value: unknown, features?: readonly Feature[]) => void {
  const { kind, reasons, sparse, label = 'reason' } = row;
  const metric = row.metric as string;
  const help = row.help as string;
  const names = [...labelNames, ...Object.keys(row.labels ?? {})];
  if (kind === 'hdr') {
    const summary = new DerivedMetric(metric, help, 'summary', registry);
    return (labels, value) => summary.addSummary(labels, value as Histogram);
  }
  if (kind === 'reasons') {
    const values = counter(registry, metric, help, [...names, label]);
    return (labels, value, features) => {
      reasons.forEach((reason, i) => {
        const count = (value as readonly number[])[i]!;
        if (count === 0 && (sparse || !isPossible(features, metric, reason))) return;
        values.inc({ ...labels, [label]: reason }, count);
      });
    };
  }
  if (kind === 'counter') {
    const values = counter(registry, metric, help, names);
    return (labels, value, features) => {
      if (value === 0 && (sparse || !isPossible(features, metric, '', labels.what))) return;
      values.inc(labels, value as number);
    };
  }
  const values = gauge(registry, metric, help, names);
  return (labels, value, features) => {
    if (value === 0 && !isPossible(features, metric)) return;
    if (kind !== 'highest' || (value as number) >= 0) values.set(labels, value as number);
  };
}
