/** gRPC calls by method: as figures of `/api/stats`, as metrics, and as a table of reports. Pure. */
import type { Registry } from 'prom-client';
import { grpcStatusNames, httpStatusOfGrpc } from '../grpc/grpc-status.js';
import {
  bucketQuantileUs,
  GRPC_BUCKETS_S,
  type GrpcMethodCounts,
  grpcCalls,
} from '../record/grpc-methods.js';
import type { VersionSnapshot } from '../record/snapshot.js';
import { DerivedMetric } from './derived-metric.js';
import type { EndpointTable } from './endpoint-table.js';
import { countText, durationText, shareText } from './figures.js';
import { counter } from './metric.js';
import type { Reading, VersionReading } from './reading.js';

const US_PER_S = 1e6;
const SERVER_ERROR = 500;
/** The label of calls without a whole response. */
const NO_STATUS = 'none';
/** Further methods are counted in one line. */
const shownMax = 40;

/** One method of one version in one role. Names are a contract: add, never rename. */
export interface GrpcMethodFigures {
  /** `package.Service/Method`, or `other` for calls without a row of their own. */
  readonly method: string;
  readonly calls: number;
  /** Statuses that are errors of the version (docs/grpc.md), and calls without a whole response. */
  readonly errors: number;
  /** By gRPC status, without those that did not occur; `none` is a call without a whole response. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly messages: { readonly sent: number; readonly received: number };
  /** Calls with a whole response alone; quantiles are interpolated within the buckets of the metric. */
  readonly latencyUs: { readonly mean: number; readonly p50: number; readonly p99: number };
}

/** The methods of one version in one role, most calls first. */
export interface GrpcMethodsOfVersion {
  readonly version: string;
  readonly role: string;
  readonly methods: readonly GrpcMethodFigures[];
}

export function grpcMethodFigures(methods: readonly GrpcMethodCounts[]): GrpcMethodFigures[] {
  return methods.map(figuresOf).sort((a, b) => b.calls - a.calls);
}

/** Versions without a gRPC call are left out. */
export function grpcMethodsOf({ versions }: Pick<Reading, 'versions'>): GrpcMethodsOfVersion[] {
  return versions
    .filter(({ counts }) => counts.grpcMethods.length > 0)
    .map(({ name, role, counts }) => ({
      version: name,
      role,
      methods: grpcMethodFigures(counts.grpcMethods),
    }));
}

/**
 * A reading without methods, for the live page. It takes the statistics once a second, and polls methods less
 * often.
 */
export function withoutGrpcMethods(reading: Reading): Reading {
  const versions = reading.versions.map((version) => ({
    ...version,
    counts: { ...version.counts, grpcMethods: [] },
  }));
  return { ...reading, versions };
}

function figuresOf(counts: GrpcMethodCounts): GrpcMethodFigures {
  const { method, statuses, failed, messagesSent, messagesReceived, buckets, sumUs } = counts;
  const answered = buckets.reduce((sum, count) => sum + count, 0);
  return {
    method,
    calls: grpcCalls(counts),
    errors: statuses.reduce((sum, count, status) => sum + (isError(status) ? count : 0), failed),
    statuses: Object.fromEntries(seenStatuses(counts)),
    messages: { sent: messagesSent, received: messagesReceived },
    latencyUs: {
      mean: answered === 0 ? 0 : Math.round(sumUs / answered),
      p50: bucketQuantileUs({ buckets }, 0.5),
      p99: bucketQuantileUs({ buckets }, 0.99),
    },
  };
}

function isError(status: number): boolean {
  return httpStatusOfGrpc(status as 0) >= SERVER_ERROR;
}

/** The statuses that occurred, with their numbers of calls. */
function seenStatuses({ statuses, failed }: GrpcMethodCounts): [status: string, count: number][] {
  const all: [string, number][] = statuses.map((count, status) => [grpcStatusNames[status], count]);
  return [...all, [NO_STATUS, failed] as [string, number]].filter(([, count]) => count > 0);
}

/** `addGrpcMethods` adds the metrics by method. Without a gRPC call there are none. */
export function addGrpcMethods(registry: Registry, versions: readonly VersionReading[]): void {
  if (versions.every(({ counts }) => counts.grpcMethods.length === 0)) return;
  const labelNames = ['version', 'role', 'method'];
  const requests = counter(
    registry,
    'umbra_grpc_method_requests_total',
    'Finished gRPC calls to the version by method and gRPC status; the status `none` is a call without a whole ' +
      'response. The method `other` has the calls of methods that have no row of their own.',
    [...labelNames, 'grpc_status'],
  );
  const sent = counter(
    registry,
    'umbra_grpc_method_messages_sent_total',
    'Messages of gRPC calls sent to the version by method, of calls that were answered completely.',
    labelNames,
  );
  const received = counter(
    registry,
    'umbra_grpc_method_messages_received_total',
    'Messages of complete responses of the version to gRPC calls by method.',
    labelNames,
  );
  const duration = new DerivedMetric(
    'umbra_grpc_method_duration_seconds',
    'Time from the first byte of a gRPC call sent to the version to the last byte received, by method.',
    'histogram',
    registry,
  );
  for (const { name, role, counts } of versions) {
    for (const method of counts.grpcMethods) {
      const labels = { version: name, role, method: method.method };
      for (const [grpc_status, count] of seenStatuses(method))
        requests.inc({ ...labels, grpc_status }, count);
      if (method.messagesSent > 0) sent.inc(labels, method.messagesSent);
      if (method.messagesReceived > 0) received.inc(labels, method.messagesReceived);
      if (method.buckets.some((count) => count > 0))
        duration.addBuckets(labels, GRPC_BUCKETS_S, method.buckets, method.sumUs / US_PER_S, []);
    }
  }
}

/** A version of a report; `counts` is null where only latencies are known. */
type CountedVersion = Pick<VersionReading, 'name'> & {
  readonly role: string;
  readonly counts: Pick<VersionSnapshot, 'grpcMethods'> | null;
};

/** The table of reports; null without a gRPC call. */
export function grpcMethodTable(versions: readonly CountedVersion[]): EndpointTable | null {
  const all = versions.flatMap(({ name, role, counts }) =>
    grpcMethodFigures(counts?.grpcMethods ?? []).map((figures) => ({ version: name, role, figures })),
  );
  if (all.length === 0) return null;
  all.sort((a, b) => a.figures.method.localeCompare(b.figures.method));
  return {
    heads: ['method', 'version', 'calls', 'errors', 'statuses', 'sent', 'received', 'p50', 'p99'],
    rows: all.slice(0, shownMax).map(({ version, role, figures }) => rowOf(`${version} ${role}`, figures)),
    more: Math.max(0, all.length - shownMax),
  };
}

function rowOf(name: string, figures: GrpcMethodFigures): string[] {
  const { method, calls, errors, statuses, messages, latencyUs } = figures;
  return [
    method,
    name,
    countText(calls),
    errors === 0 ? '-' : shareText(errors / calls),
    Object.entries(statuses)
      .map(([status, count]) => `${status} ${countText(count)}`)
      .join(', '),
    countText(messages.sent),
    countText(messages.received),
    durationText(latencyUs.p50),
    durationText(latencyUs.p99),
  ];
}
