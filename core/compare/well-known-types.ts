/**
 * The types of google/protobuf whose JSON is not that of their fields (protobuf.dev/programming-guides/json):
 * times, durations, wrapped values, and JSON itself.
 */
import { type Json, JsonNumber, type JsonObject } from './json.js';

/** Returns the value of a message in terms of its fields, or undefined where it stays as it is. */
type Reading = (fields: JsonObject) => Json | undefined;

const SECONDS_PER_DAY = 86_400;
const NANO_DIGITS = 9;
/** 9999-12-31T23:59:59Z and 0001-01-01T00:00:00Z. */
const [lastSecond, firstSecond] = [253_402_300_799, -62_135_596_800];

const zero = new JsonNumber('0');

function wrapped(byDefault: Json): Reading {
  return (fields) => fields.get('value') ?? byDefault;
}

export const wellKnownTypes: ReadonlyMap<string, Reading> = new Map<string, Reading>([
  ['google.protobuf.Timestamp', timestamp],
  ['google.protobuf.Duration', duration],
  ['google.protobuf.DoubleValue', wrapped(zero)],
  ['google.protobuf.FloatValue', wrapped(zero)],
  ['google.protobuf.Int64Value', wrapped(zero)],
  ['google.protobuf.UInt64Value', wrapped(zero)],
  ['google.protobuf.Int32Value', wrapped(zero)],
  ['google.protobuf.UInt32Value', wrapped(zero)],
  ['google.protobuf.BoolValue', wrapped(false)],
  ['google.protobuf.StringValue', wrapped('')],
  ['google.protobuf.BytesValue', wrapped('0x')],
  ['google.protobuf.Struct', (fields) => fields.get('fields') ?? new Map()],
  ['google.protobuf.ListValue', (fields) => fields.get('values') ?? []],
  ['google.protobuf.Value', value],
]);

/** `2026-11-30T15:26:38.5Z`. */
function timestamp(fields: JsonObject): Json | undefined {
  const [seconds, nanos] = [integer(fields, 'seconds'), integer(fields, 'nanos')];
  if (seconds < firstSecond || seconds > lastSecond || nanos < 0 || nanos >= 10 ** NANO_DIGITS)
    return undefined;
  const days = Math.floor(seconds / SECONDS_PER_DAY);
  const rest = seconds - days * SECONDS_PER_DAY;
  const pad = (part: number, digits = 2) => String(part).padStart(digits, '0');
  const [year, month, day] = civil(days);
  const time = `${pad(Math.floor(rest / 3600))}:${pad(Math.floor(rest / 60) % 60)}:${pad(rest % 60)}`;
  return `${pad(year, 4)}-${pad(month)}-${pad(day)}T${time}${fraction(nanos)}Z`;
}

/** `1.5s`. */
function duration(fields: JsonObject): Json | undefined {
  const [seconds, nanos] = [integer(fields, 'seconds'), integer(fields, 'nanos')];
  if (seconds * nanos < 0 || Math.abs(nanos) >= 10 ** NANO_DIGITS) return undefined;
  const sign = seconds < 0 || nanos < 0 ? '-' : '';
  return `${sign}${Math.abs(seconds)}${fraction(Math.abs(nanos))}s`;
}

/** A value of JSON: the one member that is set. */
function value(fields: JsonObject): Json | undefined {
  for (const name of ['number_value', 'string_value', 'bool_value', 'struct_value', 'list_value']) {
    const set = fields.get(name);
    if (set !== undefined) return set;
  }
  return fields.has('null_value') ? null : undefined;
}

function integer(fields: JsonObject, name: string): number {
  const member = fields.get(name);
  return member instanceof JsonNumber ? Number(member.text) : 0;
}

function fraction(nanos: number): string {
  return nanos === 0 ? '' : `.${String(nanos).padStart(NANO_DIGITS, '0').replace(/0+$/, '')}`;
}

/**
 * Year, month and day of a day since 1970-01-01, in eras of 400 years that begin in March (H. Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms").
 */
function civil(days: number): readonly [number, number, number] {
  const day = days + 719_468;
  const era = Math.floor(day / 146_097);
  const ofEra = day - era * 146_097;
  const yearOfEra = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  );
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const march = Math.floor((5 * ofYear + 2) / 153);
  const month = march < 10 ? march + 3 : march - 9;
  return [
    yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    ofYear - Math.floor((153 * march + 2) / 5) + 1,
  ];
}
