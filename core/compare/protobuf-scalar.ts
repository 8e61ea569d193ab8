/** Values of the scalar types of Protocol Buffers, and of enums, in the terms of JSON. */
import type { Descriptors } from '../protobuf/descriptors.js';
import { type FieldType, Scalar } from '../protobuf/field-type.js';
import { Wire, type WireField } from '../protobuf/wire-format.js';
import { numberOf, textOrBytes } from './binary-value.js';
import { bytesText } from './document-bounds.js';
import type { Json } from './json.js';
import { fractionOf } from './protobuf-shape.js';

const noBytes = Buffer.alloc(0);

/** `value`: null for the default of the type. Enums have the names of `descriptors`. */
export function scalarOf(
  { scalar, typeName }: FieldType,
  value: Pick<WireField, 'bits' | 'bytes'> | null,
  descriptors: Descriptors,
): Json {
  const bits = value?.bits ?? 0n;
  const bytes = value?.bytes ?? noBytes;
  switch (scalar) {
    case Scalar.DOUBLE:
      return numberOf(fractionOf(bits, Wire.FIXED64));
    case Scalar.FLOAT:
      return numberOf(shortFloat(fractionOf(bits, Wire.FIXED32)));
    case Scalar.INT64:
    case Scalar.SFIXED64:
      return numberOf(BigInt.asIntN(64, bits));
    case Scalar.INT32:
    case Scalar.SFIXED32:
      return numberOf(BigInt.asIntN(32, bits));
    case Scalar.UINT32:
    case Scalar.FIXED32:
      return numberOf(BigInt.asUintN(32, bits));
    case Scalar.SINT32:
    case Scalar.SINT64:
      return numberOf(zigZag(bits));
    case Scalar.BOOL:
      return bits !== 0n;
    case Scalar.STRING:
      return textOrBytes(bytes);
    case Scalar.BYTES:
      return bytesText(bytes);
    case Scalar.ENUM: {
      const number = BigInt.asIntN(32, bits);
      return descriptors.enumNames(typeName)?.get(Number(number)) ?? numberOf(number);
    }
    default:
      return numberOf(bits);
  }
}

/** The double of the shortest decimal that is this single-precision number: 0.1, not 0.10000000149011612. */
export function shortFloat(value: number): number {
  for (const digits of [6, 7, 8]) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}

function zigZag(bits: bigint): bigint {
  return (bits >> 1n) ^ -(bits & 1n);
}
