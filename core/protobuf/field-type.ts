/** Types of fields and messages as a descriptor set states them (google/protobuf/descriptor.proto). */
import { Wire } from './wire-format.js';

/** Numbers of `FieldDescriptorProto.Type`. */
export const Scalar = {
  DOUBLE: 1,
  FLOAT: 2,
  INT64: 3,
  UINT64: 4,
  INT32: 5,
  FIXED64: 6,
  FIXED32: 7,
  BOOL: 8,
  STRING: 9,
  GROUP: 10,
  MESSAGE: 11,
  BYTES: 12,
  UINT32: 13,
  ENUM: 14,
  SFIXED32: 15,
  SFIXED64: 16,
  SINT32: 17,
  SINT64: 18,
} as const;
export type Scalar = (typeof Scalar)[keyof typeof Scalar];

export interface FieldType {
  /** The name in the .proto file; `[package.name]` for an extension. */
  readonly name: string;
  readonly number: number;
  readonly scalar: Scalar;
  /** The full name of its message or enum, without a leading dot. */
  readonly typeName: string;
  readonly repeated: boolean;
  /** Missing and default are two things: `optional`, `required`, members of a oneof, messages. */
  readonly hasPresence: boolean;
}

export interface MessageType {
  readonly name: string;
  readonly fields: ReadonlyMap<number, FieldType>;
  /** The type of the entries of a map: field 1 is the key, field 2 the value. */
  readonly isMapEntry: boolean;
}

export interface MethodType {
  readonly input: string;
  readonly output: string;
  readonly clientStreaming: boolean;
  readonly serverStreaming: boolean;
}

/** The wire type of one value of a type. */
export function wireOf(scalar: Scalar): Wire {
  switch (scalar) {
    case Scalar.DOUBLE:
    case Scalar.FIXED64:
    case Scalar.SFIXED64:
      return Wire.FIXED64;
    case Scalar.FLOAT:
    case Scalar.FIXED32:
    case Scalar.SFIXED32:
      return Wire.FIXED32;
    case Scalar.STRING:
    case Scalar.BYTES:
    case Scalar.MESSAGE:
      return Wire.BYTES;
    case Scalar.GROUP:
      return Wire.GROUP;
    default:
      return Wire.VARINT;
  }
}

export function isMessage({ scalar }: FieldType): boolean {
  return scalar === Scalar.MESSAGE || scalar === Scalar.GROUP;
}
