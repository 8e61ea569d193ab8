/**
 * Formats an access-log record as a line in Envoy's default format or as JSON. Runs on the control thread.
 */
import { isoTime } from '../clock.js';
import { GrpcStatus, grpcStatusName } from '../grpc/grpc-status.js';
import { fieldValue } from '../http/fields.js';
import { printableJson } from '../printable.js';
import type { AccessEntry } from '../record/access-log.js';
import type { Redaction } from '../redact.js';

/** `accessLine` returns one line that ends in a line feed. Values that `redaction` hides are left out. */
export function accessLine(entry: AccessEntry, format: 'envoy' | 'json', redaction: Redaction): string {
  return format === 'envoy' ? envoyLine(entry, redaction) : jsonLine(entry, redaction);
}

/**
 * `envoyLine` follows Envoy's default format, field for field (Envoy documentation, "Access logging: default
 * format string"): start, method, path, protocol, status, flags, bytes in, bytes out, duration and upstream
 * time in ms, forwarded-for, user agent, request id, authority, upstream host. One field is appended:
 * the details of the response (Envoy's `%RESPONSE_CODE_DETAILS%`), which have no quotes there either. Lines
 * of gRPC calls end with the name of their status (Envoy's `%GRPC_STATUS%`).
 */
function envoyLine(entry: AccessEntry, redaction: Redaction): string {
  const field = (name: string): string => shown(shownValue(entry, name, redaction) || '-');
  const start = isoTime(entry.endMs - entry.durationUs / 1000);
  const upstreamMs = entry.upstreamUs < 0 ? '-' : String(Math.round(entry.upstreamUs / 1000));
  return (
    `[${start}] "${shown(entry.method)} ${shown(redaction.text(entry.target))} ${protocolOf(entry)}" ${entry.status} ${entry.flag || '-'} ` +
    `${entry.requestBytes} ${entry.responseBytes} ${Math.round(entry.durationUs / 1000)} ${upstreamMs} ` +
    `"${field('x-forwarded-for')}" "${field('user-agent')}" "${field('x-request-id')}" ` +
    `"${shown(entry.host)}" "${entry.upstream || '-'}" ${entry.details || '-'}` +
    `${entry.grpcStatus === GrpcStatus.NONE ? '' : ` ${grpcStatusName(entry.grpcStatus)}`}\n`
  );
}

function jsonLine(entry: AccessEntry, redaction: Redaction): string {
  const line = JSON.stringify({
    time: isoTime(entry.endMs - entry.durationUs / 1000),
    role: entry.role,
    route: entry.route,
    version: entry.version,
    method: entry.method,
    path: redaction.text(entry.target),
    protocol: protocolOf(entry),
    authority: entry.host,
    status: entry.status,
    grpcStatus: grpcStatusName(entry.grpcStatus) || null,
    flags: entry.flag || null,
    details: entry.details || null,
    requestBytes: entry.requestBytes,
    responseBytes: entry.responseBytes,
    durationMs: Math.round(entry.durationUs) / 1000,
    upstreamMs: entry.upstreamUs < 0 ? null : Math.round(entry.upstreamUs) / 1000,
    userAgent: shownValue(entry, 'user-agent', redaction),
    requestId: shownValue(entry, 'x-request-id', redaction),
    forwardedFor: shownValue(entry, 'x-forwarded-for', redaction),
    upstream: entry.upstream || null,
  });
  return `${printableJson(line)}\n`;
}

function protocolOf({ http2 }: AccessEntry): string {
  return http2 ? 'HTTP/2.0' : 'HTTP/1.1';
}

/** `shownValue` returns null for an absent field. */
function shownValue(entry: AccessEntry, lowerName: string, redaction: Redaction): string | null {
  const value = fieldValue(entry.fields, lowerName);
  return value === null ? null : redaction.field(lowerName, value);
}

/**
 * `shown` escapes every character of a client's text that could end the quotes, break the line or control a
 * terminal.
 */
function shown(text: string): string {
  return text.replace(/[^\x20-\x7e]|["\\]/g, (char) => {
    const code = char.charCodeAt(0).toString(16).padStart(2, '0');
    return `\\x${code}`;
  });
}
