/**
 * The spans of a traced request or copy, as OpenTelemetry has them: names, attributes (semantic conventions
 * for HTTP spans, and `umbra.*`), parents and links. Pure.
 */
import { dropReasons, failureReasons } from '../errors.js';
import { bitsOfDiffers } from '../record/mirror-counters.js';
import type { CopySpan, ExchangeSpans, SpanRecord } from '../record/span-record.js';
import type { Redaction } from '../redact.js';

export interface PlainSpan {
  readonly name: string;
  readonly kind: 'server' | 'client';
  readonly traceId: string;
  readonly spanId: string;
  /** Empty where the trace begins with this span. */
  readonly parentId: string;
  readonly isParentRemote: boolean;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  /** Microseconds since 1970. */
  readonly startUs: number;
  readonly endUs: number;
  /** What failed; null: nothing. */
  readonly error: string | null;
  readonly attributes: PlainAttributes;
  readonly events: readonly {
    readonly name: string;
    readonly atUs: number;
    readonly attributes: PlainAttributes;
  }[];
}
export type PlainAttributes = Readonly<Record<string, string | number | boolean | readonly string[]>>;

export interface SpanNames {
  readonly redaction: Redaction;
  /** Microseconds since 1970 of a time of core/clock. */
  wallUs(us: number): number;
  /** The version that a mirror copies to, by its slot. */
  mirrorName(slot: number): string;
}

/** A server's span is an error from this status on, a client's from the next (semantic conventions, HTTP). */
const SERVER_ERROR = 500;
const CLIENT_ERROR = 400;
const US_PER_MS = 1000;

export function spansOf(record: SpanRecord, names: SpanNames): PlainSpan[] {
  return record.kind === 'exchange' ? exchangeSpans(record, names) : [copySpan(record, names)];
}

function exchangeSpans(record: ExchangeSpans, names: SpanNames): PlainSpan[] {
  const { traceId, parentId, serverId, clientId, status, failure, route, version } = record;
  const common = { traceId, links: [] };
  const startUs = names.wallUs(record.startUs);
  const endUs = names.wallUs(record.endUs);
  const failed = failure < 0 ? null : failureReasons[failure]!;
  const own = { 'umbra.route': route, 'umbra.version': version };
  const server: PlainSpan = {
    ...common,
    name: `${record.method} ${route}`,
    kind: 'server',
    spanId: serverId,
    parentId,
    isParentRemote: true,
    startUs,
    endUs,
    error: failed ?? (status >= SERVER_ERROR ? String(status) : null),
    attributes: {
      ...requestAttributes(record, names),
      ...statusAttributes(status, failed),
      'network.protocol.version': record.http2 ? '2' : '1.1',
      'http.request.body.size': record.requestBytes,
      'http.response.body.size': record.responseBytes,
      'umbra.response_details': record.details,
      ...own,
    },
    events: record.drops.map(([slot, reason]) => ({
      name: 'umbra.copy.dropped',
      atUs: startUs,
      attributes: {
        'umbra.version': names.mirrorName(slot),
        'umbra.drop_reason': dropReasons[reason]!,
      },
    })),
  };
  const client: PlainSpan = {
    ...common,
    name: `${record.method} ${version}`,
    kind: 'client',
    spanId: clientId,
    parentId: serverId,
    isParentRemote: false,
    ...times(record, record.answeredUs, names),
    error: failed ?? (status >= CLIENT_ERROR ? String(status) : null),
    attributes: {
      ...requestAttributes(record, names),
      // What umbra answered itself is not a status of the version.
      ...statusAttributes(failed === null ? status : 0, failed),
      ...upstreamAttributes(record.upstream),
      'umbra.role': 'primary',
      ...own,
    },
    events: [],
  };
  return [server, client];
}

function copySpan(record: CopySpan, names: SpanNames): PlainSpan {
  const { traceId, spanId, ofTraceId, ofSpanId, status, failure, drop, differs, deltaUs } = record;
  const { route, version } = record;
  const failed = drop >= 0 ? null : failure < 0 ? null : failureReasons[failure]!;
  const isPaired = differs >= 0;
  return {
    name: `${record.method} ${version} (copy)`,
    kind: 'client',
    traceId,
    spanId,
    parentId: traceId === ofTraceId ? ofSpanId : '',
    isParentRemote: false,
    links: [{ traceId: ofTraceId, spanId: ofSpanId }],
    ...times(record, record.endUs, names),
    error: failed ?? (drop < 0 && status >= CLIENT_ERROR ? String(status) : null),
    attributes: {
      ...requestAttributes(record, names),
      ...statusAttributes(failed === null ? status : 0, failed),
      ...upstreamAttributes(record.upstream),
      'umbra.role': 'shadow',
      'umbra.route': route,
      'umbra.version': version,
      ...(drop < 0 ? {} : { 'umbra.drop_reason': dropReasons[drop]! }),
      ...(isPaired
        ? {
            'umbra.differs': differs > 0,
            'umbra.differences': bitsOfDiffers(differs),
            'umbra.delta_ms': deltaUs / US_PER_MS,
          }
        : {}),
    },
    events: [],
  };
}

/** A call that was never sent has the times of its request. */
function times(
  { startUs, sentUs, endUs }: SpanRecord,
  doneUs: number,
  { wallUs }: SpanNames,
): Pick<PlainSpan, 'startUs' | 'endUs'> {
  const from = sentUs > 0 ? sentUs : startUs;
  const to = doneUs >= from ? doneUs : Math.max(from, endUs);
  return { startUs: wallUs(from), endUs: wallUs(to) };
}

function requestAttributes({ method, target, host }: SpanRecord, { redaction }: SpanNames): PlainAttributes {
  const shown = redaction.text(target);
  const query = shown.indexOf('?');
  return {
    'http.request.method': method,
    'url.path': query < 0 ? shown : shown.slice(0, query),
    ...(query < 0 ? {} : { 'url.query': shown.slice(query + 1) }),
    'server.address': host,
  };
}

function statusAttributes(status: number, failed: string | null): PlainAttributes {
  return {
    ...(status > 0 ? { 'http.response.status_code': status } : {}),
    ...(failed !== null
      ? { 'error.type': failed }
      : status >= SERVER_ERROR
        ? { 'error.type': String(status) }
        : {}),
  };
}

/** `network.peer.*` of `host:port`, or of a socket's path. */
function upstreamAttributes(upstream: string): PlainAttributes {
  if (upstream === '') return {};
  const colon = upstream.lastIndexOf(':');
  if (upstream.startsWith('/') || colon < 0) return { 'network.peer.address': upstream };
  return {
    'network.peer.address': upstream.slice(0, colon).replace(/^\[|\]$/g, ''),
    'network.peer.port': Number(upstream.slice(colon + 1)),
  };
}
