/** `grpc-timeout`: how long the client waits for the whole call (gRPC over HTTP/2, "Timeout"). */

/** Milliseconds of each unit. */
const units: ReadonlyMap<string, number> = new Map([
  ['H', 3_600_000],
  ['M', 60_000],
  ['S', 1000],
  ['m', 1],
  ['u', 1e-3],
  ['n', 1e-6],
]);
const FIELD = 'grpc-timeout:';
const DIGITS_MAX = 8;
const VALUE_MAX = 10 ** DIGITS_MAX - 1;

/** Milliseconds of a value of at most eight digits and a unit; null for any other. */
export function parseGrpcTimeout(value: string): number | null {
  const unit = units.get(value.slice(-1));
  const digits = value.slice(0, -1);
  if (unit === undefined || !/^\d{1,8}$/.test(digits)) return null;
  return Number(digits) * unit;
}

/** The finest unit in which `ms` has at most eight digits. It is rounded up, so that no time is lost. */
export function grpcTimeoutText(ms: number): string {
  for (const [unit, unitMs] of [...units].reverse()) {
    const count = Math.ceil(ms / unitMs);
    if (count <= VALUE_MAX) return `${count}${unit}`;
  }
  return `${VALUE_MAX}H`;
}

/**
 * Milliseconds of the field in the lines of a request, a wire string with names in lower case. Null: there is
 * none, or its value is not valid.
 */
export function grpcTimeoutOf(fields: string): number | null {
  const at = lineOf(fields);
  return at < 0 ? null : parseGrpcTimeout(fields.slice(at + FIELD.length, endOf(fields, at)).trim());
}

/** The lines with the value of their first such field replaced by `ms`. */
export function withGrpcTimeout(fields: string, ms: number): string {
  const at = lineOf(fields);
  if (at < 0) return fields;
  return `${fields.slice(0, at)}${FIELD} ${grpcTimeoutText(ms)}${fields.slice(endOf(fields, at))}`;
}

function lineOf(fields: string): number {
  let at = fields.indexOf(FIELD);
  while (at > 0 && fields.charCodeAt(at - 1) !== 0x0a) at = fields.indexOf(FIELD, at + 1);
  return at;
}

function endOf(fields: string, at: number): number {
  const end = fields.indexOf('\r', at);
  return end < 0 ? fields.length : end;
}
