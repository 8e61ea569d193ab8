import { Gauge, type Registry } from 'prom-client';
import { type Histogram, signedPercentileUs } from '../record/histogram.js';

import type { Exemplar } from './control-counts.js';

type Labels = Readonly<Record<string, string>>;
interface Sample {
  readonly metricName: string;
  readonly labels: Record<string, string | number>;
  readonly value: number;
  /** Shown in OpenMetrics alone. */
  readonly exemplar?: {
    readonly labelSet: Record<string, string>;
    readonly value: number;
    readonly timestamp: number;
  };
}

const US_PER_S = 1e6;
const MS_PER_S = 1e3;
const SUMMARY_QUANTILES = [0.5, 0.9, 0.99, 0.999] as const;

/**
 * A histogram or summary whose values were measured elsewhere. prom-client's own types accept only one
 * observation at a time. This class extends `Gauge`, the smallest metric that a registry accepts, and
 * overrides what the registry reads.
 */
export class DerivedMetric extends Gauge<string> {
  private readonly samples: Sample[] = [];

  constructor(
    private readonly metricName: string,
    private readonly metricHelp: string,
    private readonly metricType: 'histogram' | 'summary',
    registry: Registry,
  ) {
    super({ name: metricName, help: metricHelp, registers: [registry] });
  }

  /**
   * `addHistogram` adds a cumulative histogram; `boundsS` are the upper bounds of its buckets in seconds,
   * ascending.
   */
  addHistogram(labels: Labels, histogram: Histogram, boundsS: readonly number[]): void {
    const counts = histogram.cumulative(boundsS.map((bound) => Math.round(bound * US_PER_S)));
    boundsS.forEach((bound, i) => {
      this.sample('_bucket', { ...labels, le: bound }, counts[i]);
    });
    this.sample('_bucket', { ...labels, le: '+Inf' }, histogram.count);
    this.addTotals(labels, histogram.sumUs, histogram.count);
  }

  /** `addBuckets` adds a histogram of buckets that are not cumulative, with the newest exemplar of each. */
  addBuckets(
    labels: Labels,
    boundsS: readonly number[],
    buckets: readonly number[],
    sumS: number,
    exemplars: readonly Exemplar[],
  ): void {
    let count = 0;
    buckets.forEach((own, bucket) => {
      count += own;
      const found = exemplars.find((one) => one.bucket === bucket);
      this.samples.push({
        metricName: `${this.metricName}_bucket`,
        labels: { ...labels, le: boundsS[bucket] ?? '+Inf' },
        value: count,
        ...(found === undefined
          ? {}
          : {
              exemplar: {
                labelSet: { trace_id: found.traceId },
                value: found.seconds,
                timestamp: found.atMs / MS_PER_S,
              },
            }),
      });
    });
    this.sample('_sum', { ...labels }, sumS);
    this.sample('_count', { ...labels }, count);
  }

  /** `addSummary` adds quantiles over the life of the process. */
  addSummary(labels: Labels, histogram: Histogram): void {
    this.addQuantiles(labels, histogram.count, (percentile) => histogram.percentileUs(percentile));
    this.addTotals(labels, histogram.sumUs, histogram.count);
  }

  /**
   * `addSignedSummary` does the same for signed values, which are kept in two histograms of their magnitudes.
   */
  addSignedSummary(labels: Labels, below: Histogram, above: Histogram): void {
    const count = below.count + above.count;
    this.addQuantiles(labels, count, (percentile) => signedPercentileUs(below, above, percentile));
    this.addTotals(labels, above.sumUs - below.sumUs, count);
  }

  override async get() {
    const gauge = await super.get();
    // prom-client declares the type as a numeric enum and uses strings.
    const type = this.metricType as unknown as typeof gauge.type;
    return { ...gauge, name: this.metricName, help: this.metricHelp, type, values: this.samples };
  }

  /**
   * `addQuantiles` adds none while `count` is 0: the quantile does not exist, and prom-client would write
   * `Nan`.
   */
  private addQuantiles(labels: Labels, count: number, percentileUs: (percentile: number) => number): void {
    if (count === 0) return;
    for (const quantile of SUMMARY_QUANTILES) {
      this.sample('', { ...labels, quantile }, percentileUs(quantile * 100) / US_PER_S);
    }
  }

  private addTotals(labels: Labels, sumUs: number, count: number): void {
    this.sample('_sum', { ...labels }, sumUs / US_PER_S);
    this.sample('_count', { ...labels }, count);
  }

  private sample(suffix: string, labels: Record<string, string | number>, value: number): void {
    this.samples.push({ metricName: this.metricName + suffix, labels, value });
  }
}
