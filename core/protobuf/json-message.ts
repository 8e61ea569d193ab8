/**
 * Messages of Protocol Buffers from JSON (protobuf.dev/programming-guides/json), by the types of a descriptor
 * set. Fields are named as in the .proto file or in lowerCamelCase. Repeated fields are written unpacked,
 * which every parser accepts.
 */
import { msOfIsoTime } from '../clock.js';
import type { Descriptors } from './descriptors.js';
import { type FieldType, isMessage, type MessageType, Scalar, wireOf } from './field-type.js';
import { Wire } from './wire-format.js';
import { bytesField, tag, varint } from './wire-writer.js';

/** The JSON is not that of the type. The message names the place and what was expected there. */
export class JsonMessageFault extends Error {}

const DEPTH_MAX = 100;
const NANOS_DIGITS = 9;
const NANOS_PER_S = 10 ** NANOS_DIGITS;
const MS_PER_S = 1000;
const [FLOAT_BYTES, DOUBLE_BYTES] = [4, 8];
/** The largest finite value of 32 bits. */
const FLOAT_MAX = 3.4028234663852886e38;
const [MAP_KEY, MAP_VALUE] = [1, 2];

/** Bits and sign of each integer type. */
const integers: ReadonlyMap<Scalar, readonly [bits: number, signed: boolean]> = new Map<
  Scalar,
  readonly [number, boolean]
>([
  [Scalar.INT32, [32, true]],
  [Scalar.SINT32, [32, true]],
  [Scalar.SFIXED32, [32, true]],
  [Scalar.UINT32, [32, false]],
  [Scalar.FIXED32, [32, false]],
  [Scalar.INT64, [64, true]],
  [Scalar.SINT64, [64, true]],
  [Scalar.SFIXED64, [64, true]],
  [Scalar.UINT64, [64, false]],
  [Scalar.FIXED64, [64, false]],
]);
/** Messages whose JSON is that of their field `value`. */
const wrappers = ['Double', 'Float', 'Int64', 'UInt64', 'Int32', 'UInt32', 'Bool', 'String', 'Bytes'];
const wrapperNames = new Set(wrappers.map((name) => `google.protobuf.${name}Value`));
const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d{1,9}))?(?:Z|[+-]\d\d:\d\d)$/;
const duration = /^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$/;

/** The bytes of `json` as a message of `type`. Throws `JsonMessageFault`. */
export function encodeJsonMessage(json: unknown, type: MessageType, descriptors: Descriptors): Buffer {
  return new Encoder(descriptors).message(json, type, '$', 0);
}

class Encoder {
  readonly #descriptors: Descriptors;

  constructor(descriptors: Descriptors) {
    this.#descriptors = descriptors;
  }

  message(json: unknown, type: MessageType, place: string, depth: number): Buffer {
    if (depth > DEPTH_MAX) throw new JsonMessageFault(`${place}: more than ${DEPTH_MAX} levels`);
    return this.#wellKnown(json, type, place, depth) ?? this.#fields(json, type, place, depth);
  }

  #fields(json: unknown, type: MessageType, place: string, depth: number): Buffer {
    if (!isObject(json)) throw wrong(place, `an object (${type.name})`, json);
    const parts: Buffer[] = [];
    for (const [name, value] of Object.entries(json)) {
      const field = fieldNamed(type, name);
      if (field === undefined) {
        const names = [...type.fields.values()].map((one) => one.name).join(', ');
        const known = names === '' ? 'it has none' : `its fields are ${names}`;
        throw new JsonMessageFault(`${place}: ${type.name} has no field ${name}; ${known}`);
      }
      parts.push(this.#field(value, field, `${place}.${name}`, depth));
    }
    return Buffer.concat(parts);
  }

  #field(json: unknown, field: FieldType, place: string, depth: number): Buffer {
    // Null stands for the default, except in a Value, of which it is a value.
    if (json === null && field.typeName !== 'google.protobuf.Value') return Buffer.alloc(0);
    const entry = field.repeated ? this.#typeOf(field) : null;
    if (entry?.isMapEntry) return this.#map(json, field, entry, place, depth);
    if (!field.repeated) return this.#value(json, field, place, depth);
    if (!Array.isArray(json)) throw wrong(place, 'a list', json);
    return Buffer.concat(json.map((one, i) => this.#value(one, field, `${place}[${i}]`, depth)));
  }

  #map(json: unknown, field: FieldType, entry: MessageType, place: string, depth: number): Buffer {
    if (!isObject(json)) throw wrong(place, 'an object', json);
    const [keys, values] = [entry.fields.get(MAP_KEY)!, entry.fields.get(MAP_VALUE)!];
    return Buffer.concat(
      Object.entries(json).map(([key, value]) => {
        const at = `${place}[${JSON.stringify(key)}]`;
        // Keys of JSON are texts, whatever the type of the map's keys.
        const written = keys.scalar === Scalar.BOOL && /^(true|false)$/.test(key) ? key === 'true' : key;
        return bytesField(
          field.number,
          Buffer.concat([
            this.#value(written, keys, at, depth + 1),
            this.#value(value, values, at, depth + 1),
          ]),
        );
      }),
    );
  }

  #value(json: unknown, field: FieldType, place: string, depth: number): Buffer {
    const { number, scalar } = field;
    if (isMessage(field)) {
      const bytes = this.message(json, this.#typeOf(field)!, place, depth + 1);
      if (scalar === Scalar.MESSAGE) return bytesField(number, bytes);
      return Buffer.concat([tag(number, Wire.GROUP), bytes, tag(number, Wire.GROUP_END)]);
    }
    if (scalar === Scalar.STRING) {
      if (typeof json !== 'string') throw wrong(place, 'a text', json);
      return bytesField(number, Buffer.from(json, 'utf8'));
    }
    if (scalar === Scalar.BYTES) return bytesField(number, base64(json, place));
    return Buffer.concat([tag(number, wireOf(scalar)), this.#number(json, field, place)]);
  }

  #number(json: unknown, { scalar, typeName }: FieldType, place: string): Buffer {
    switch (scalar) {
      case Scalar.BOOL:
        if (typeof json !== 'boolean') throw wrong(place, 'true or false', json);
        return varint(json ? 1n : 0n);
      case Scalar.ENUM:
        return varint(this.#enumNumber(json, typeName, place));
      case Scalar.DOUBLE:
      case Scalar.FLOAT:
        return floating(json, scalar, place);
      default:
        return integer(json, scalar, place);
    }
  }

  #enumNumber(json: unknown, name: string, place: string): bigint {
    if (typeof json === 'number' && Number.isInteger(json) && Math.abs(json) <= 2 ** 31) return BigInt(json);
    const names = this.#descriptors.enumNames(name) ?? new Map<number, string>();
    for (const [number, known] of names) if (known === json) return BigInt(number);
    throw wrong(place, `one of ${[...names.values()].join(', ')}`, json);
  }

  /** A descriptor set without a type that it uses is refused when it is read. */
  #typeOf(field: FieldType): MessageType | null {
    return isMessage(field) ? this.#descriptors.message(field.typeName) : null;
  }

  /** Types whose JSON is not that of their fields; null for all others. */
  #wellKnown(json: unknown, type: MessageType, place: string, depth: number): Buffer | null {
    const { name } = type;
    if (!name.startsWith('google.protobuf.')) return null;
    if (wrapperNames.has(name)) return this.#value(json, type.fields.get(1)!, place, depth);
    switch (name) {
      case 'google.protobuf.Timestamp':
        return secondsOf(timestampParts(json, place));
      case 'google.protobuf.Duration':
        return secondsOf(durationParts(json, place));
      case 'google.protobuf.Struct':
        return this.#fields({ fields: json }, type, place, depth);
      case 'google.protobuf.ListValue':
        return this.#fields({ values: json }, type, place, depth);
      case 'google.protobuf.Value':
        return this.#fields(valueWords(json), type, place, depth);
      case 'google.protobuf.Any':
        throw new JsonMessageFault(`${place}: google.protobuf.Any can't be written from JSON here`);
      default:
        return null;
    }
  }
}

function fieldNamed({ fields }: MessageType, name: string): FieldType | undefined {
  const all = [...fields.values()];
  return all.find((field) => field.name === name) ?? all.find((field) => camelCase(field.name) === name);
}

function camelCase(name: string): string {
  return name.replace(/_(.)/g, (_, next: string) => next.toUpperCase());
}

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function wrong(place: string, expected: string, json: unknown): JsonMessageFault {
  const shown = JSON.stringify(json) ?? String(json);
  const given = shown.length > 60 ? `${shown.slice(0, 60)}…` : shown;
  return new JsonMessageFault(`${place}: expected ${expected}, got ${given}`);
}

function integer(json: unknown, scalar: Scalar, place: string): Buffer {
  const [bits, signed] = integers.get(scalar)!;
  const expected = `an integer of ${bits} bits${signed ? '' : ' that is not negative'}`;
  if (Number.isInteger(json) && !Number.isSafeInteger(json))
    throw wrong(place, `${expected}, in quotation marks from 2^53 on`, json);
  const text = typeof json === 'number' ? String(json) : json;
  if (typeof text !== 'string' || !/^-?\d+$/.test(text)) throw wrong(place, expected, json);
  const value = BigInt(text);
  const [low, high] = signed ? [-(2n ** BigInt(bits - 1)), 2n ** BigInt(bits - 1)] : [0n, 2n ** BigInt(bits)];
  if (value < low || value >= high) throw wrong(place, expected, json);
  if (scalar === Scalar.SINT32 || scalar === Scalar.SINT64)
    return varint(value < 0n ? -2n * value - 1n : 2n * value);
  if (wireOf(scalar) === Wire.VARINT) return varint(value);
  const fixed = Buffer.alloc(bits / 8);
  if (bits === 32) fixed.writeUInt32LE(Number(BigInt.asUintN(bits, value)));
  else fixed.writeBigUInt64LE(BigInt.asUintN(bits, value));
  return fixed;
}

function floating(json: unknown, scalar: Scalar, place: string): Buffer {
  const value = typeof json === 'string' && json.trim() !== '' ? Number(json) : json;
  // Number('x') is NaN, which only its own name may stand for.
  if (typeof value !== 'number' || (Number.isNaN(value) && json !== 'NaN'))
    throw wrong(place, 'a number', json);
  if (scalar === Scalar.FLOAT && Number.isFinite(value) && Math.abs(value) > FLOAT_MAX)
    throw wrong(place, 'a number of 32 bits', json);
  const bytes = Buffer.alloc(scalar === Scalar.FLOAT ? FLOAT_BYTES : DOUBLE_BYTES);
  if (scalar === Scalar.FLOAT) bytes.writeFloatLE(value);
  else bytes.writeDoubleLE(value);
  return bytes;
}

/** Base64 of either alphabet, with or without padding. */
function base64(json: unknown, place: string): Buffer {
  if (typeof json !== 'string' || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(json)) throw wrong(place, 'Base64', json);
  return Buffer.from(json, 'base64');
}

type SecondsAndNanos = readonly [seconds: number, nanos: number];

/** A Timestamp and a Duration have the same fields. */
function secondsOf([seconds, nanos]: SecondsAndNanos): Buffer {
  const [SECONDS, NANOS] = [1, 2];
  return Buffer.concat([
    Buffer.concat([tag(SECONDS, Wire.VARINT), varint(BigInt(seconds))]),
    Buffer.concat([tag(NANOS, Wire.VARINT), varint(BigInt(nanos))]),
  ]);
}

function nanosOf(fraction: string | undefined): number {
  return Number((fraction ?? '').padEnd(NANOS_DIGITS, '0'));
}

function timestampParts(json: unknown, place: string): SecondsAndNanos {
  const parts = typeof json === 'string' ? timestamp.exec(json) : null;
  const ms = parts === null ? Number.NaN : msOfIsoTime(json as string);
  if (parts === null || Number.isNaN(ms)) throw wrong(place, 'a time such as "2026-01-31T12:00:00Z"', json);
  return [Math.floor(ms / MS_PER_S), nanosOf(parts[1]) % NANOS_PER_S];
}

function durationParts(json: unknown, place: string): SecondsAndNanos {
  const parts = typeof json === 'string' ? duration.exec(json) : null;
  if (parts === null) throw wrong(place, 'a duration such as "1.5s"', json);
  const sign = parts[1] === '-' ? -1 : 1;
  return [sign * Number(parts[2]), sign * nanosOf(parts[3])];
}

/** The JSON of `google.protobuf.Value` as the field of the message that has it. */
function valueWords(json: unknown): Readonly<Record<string, unknown>> {
  if (json === null) return { null_value: 0 };
  if (typeof json === 'number') return { number_value: json };
  if (typeof json === 'string') return { string_value: json };
  if (typeof json === 'boolean') return { bool_value: json };
  return Array.isArray(json) ? { list_value: json } : { struct_value: json };
}
