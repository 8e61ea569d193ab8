/** The wire format of Protocol Buffers, for writing (protobuf.dev/programming-guides/encoding). */
import { Wire } from './wire-format.js';

const WIRE_BITS = 3;
const VARINT_BITS = 7n;
const VARINT_MASK = 0x7fn;
const MORE = 0x80;

/** `varint` writes the lowest 64 bits of `value`. */
export function varint(value: bigint): Buffer {
  let rest = BigInt.asUintN(64, value);
  const bytes: number[] = [];
  for (; rest > VARINT_MASK; rest >>= VARINT_BITS) bytes.push(Number(rest & VARINT_MASK) | MORE);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

export function tag(number: number, wire: Wire): Buffer {
  return varint((BigInt(number) << BigInt(WIRE_BITS)) | BigInt(wire));
}

/** A field of bytes: text, bytes, or a message. */
export function bytesField(number: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([tag(number, Wire.BYTES), varint(BigInt(bytes.byteLength)), bytes]);
}
