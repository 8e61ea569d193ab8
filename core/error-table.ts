/**
 * The tables of docs/errors.md: every failure, drop and refusal in one form. The data path needs none of it.
 */
import {
  answersByReason,
  bodyTooLargeAnswer,
  faultAnswer,
  locationTooLongAnswer,
  noRouteAnswer,
} from './answers.js';
import { drops, type ErrorSource, failures, type Retry } from './errors.js';
import { RequestFault, requestFaultAnswers } from './http/request-fault.js';

/** One row of the whole table; null: there is none. */
export interface ErrorRow {
  readonly kind: 'failure' | 'drop' | 'refusal';
  readonly code: string;
  readonly status: number | null;
  readonly source: ErrorSource;
  readonly retry: Retry;
  /** Metrics with their labels. Of a failure the second one moves for copies. */
  readonly counters: readonly string[];
  readonly text: string | null;
  readonly flag: string | null;
  readonly when: string;
}

/** The whole table. Made on demand: the data path needs none of it. */
export function errorRows(): ErrorRow[] {
  return [
    ...failures.map(
      (row): ErrorRow => ({
        ...row,
        kind: 'failure',
        status: answersByReason[row.code]?.status ?? null,
        text: answersByReason[row.code]?.text ?? null,
        counters: [
          `umbra_upstream_failures_total{reason="${row.code}"}`,
          `umbra_mirror_failed_total{reason="${row.code}"}`,
        ],
      }),
    ),
    ...drops.map(
      (row): ErrorRow => ({
        ...row,
        kind: 'drop',
        status: null,
        retry: 'no',
        counters: [`umbra_mirror_dropped_total{reason="${row.code}"}`],
        text: null,
        flag: null,
      }),
    ),
    {
      ...noRouteAnswer,
      kind: 'refusal',
      code: 'no-route',
      source: 'downstream',
      retry: 'no',
      counters: ['umbra_downstream_unrouted_total'],
      when: 'No route matches the request.',
    },
    {
      ...locationTooLongAnswer,
      kind: 'refusal',
      code: 'location-too-long',
      source: 'downstream',
      retry: 'no',
      counters: ['umbra_downstream_answered_total'],
      flag: null,
      when: "The Location of a route's `redirect` would be longer than 16 KiB.",
    },
    {
      ...faultAnswer,
      kind: 'refusal',
      code: 'fault',
      status: null,
      source: 'local',
      retry: 'no',
      counters: ['umbra_fault_aborts_total'],
      when: 'By `fault.abort` of its route, on purpose.',
    },
    {
      ...bodyTooLargeAnswer,
      kind: 'refusal',
      code: 'body-too-large',
      source: 'downstream',
      retry: 'no',
      counters: ['umbra_downstream_body_too_large_total'],
      flag: null,
      when: "The Content-Length is above the listener's `body.max`; no version receives it.",
    },
    ...requestFaultAnswers.slice(RequestFault.NONE + 1).map(
      (row): ErrorRow => ({
        ...row,
        kind: 'refusal',
        source: 'downstream',
        retry: 'no',
        counters: ['umbra_downstream_refused_total'],
        flag: null,
      }),
    ),
  ];
}
