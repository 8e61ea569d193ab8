/**
 * Messages of Protocol Buffers as their bytes alone say it: numbered fields, each with a wire type
 * (protobuf.dev/programming-guides/encoding).
 */

export const Wire = {
  VARINT: 0,
  FIXED64: 1,
  BYTES: 2,
  GROUP: 3,
  GROUP_END: 4,
  FIXED32: 5,
} as const;
export type Wire = (typeof Wire)[keyof typeof Wire];

/** The bytes are not a message. */
export class WireFault extends Error {
  /** In bytes. */
  readonly position: number;
  constructor(position: number) {
    super(`not a message of Protocol Buffers at byte ${position}`);
    this.position = position;
  }
}

/** Counts what is read and throws past a bound. */
export interface WireBounds {
  value(depth: number, position: number): void;
}

/** One field as it stands in a message. A repeated field is several of them. */
export interface WireField {
  readonly number: number;
  readonly wire: Wire;
  /** The value of VARINT, FIXED64 and FIXED32, unsigned. */
  readonly bits: bigint;
  /** The content of BYTES; a view of the message. */
  readonly bytes: Buffer;
  /** The fields of GROUP. */
  readonly group: readonly WireField[];
}

const VARINT_BYTES = 10;
const FIXED64_BYTES = 8;
const FIXED32_BYTES = 4;
const WIRE_BITS = 3n;
const WIRE_MASK = 7n;
const NUMBER_MAX = (1n << 29n) - 1n;
const noBytes = Buffer.alloc(0);
const noFields: readonly WireField[] = [];

/** The fields of a whole message, in their order. Throws `WireFault`, and what `bounds` throws. */
export function readFields(bytes: Uint8Array, bounds: WireBounds, depth: number): WireField[] {
  const reader = new WireReader(bytes);
  return reader.fields(bounds, depth, null);
}

export class WireReader {
  readonly #bytes: Buffer;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.at >= this.#bytes.length;
  }

  /**
   * `group`: the number of the group that these fields are in; null: they continue to the end of the bytes.
   */
  fields(bounds: WireBounds, depth: number, group: number | null): WireField[] {
    const fields: WireField[] = [];
    while (!this.isAtEnd) {
      const from = this.at;
      const tag = this.varint();
      const number = tag >> WIRE_BITS;
      if (number === 0n || number > NUMBER_MAX) throw new WireFault(from);
      const wire = Number(tag & WIRE_MASK);
      if (wire === Wire.GROUP_END && Number(number) === group) return fields;
      bounds.value(depth, from);
      fields.push(this.#field(Number(number), wire, bounds, depth));
    }
    if (group !== null) throw new WireFault(this.at);
    return fields;
  }

  /** Unsigned, of at most 64 bits. */
  varint(): bigint {
    let low = 0;
    for (let i = 0; i < FIXED32_BYTES; i++) {
      const byte = this.#byte();
      low += (byte & 0x7f) << (7 * i);
      if (byte < 0x80) return BigInt(low);
    }
    let value = BigInt(low);
    for (let i = FIXED32_BYTES; i < VARINT_BYTES; i++) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new WireFault(this.at);
  }

  fixed64(): bigint {
    return this.#take(FIXED64_BYTES).readBigUInt64LE();
  }

  fixed32(): bigint {
    return BigInt(this.#take(FIXED32_BYTES).readUInt32LE());
  }

  #field(number: number, wire: number, bounds: WireBounds, depth: number): WireField {
    switch (wire) {
      case Wire.VARINT:
        return { number, wire, bits: this.varint(), bytes: noBytes, group: noFields };
      case Wire.FIXED64:
        return { number, wire, bits: this.fixed64(), bytes: noBytes, group: noFields };
      case Wire.FIXED32:
        return { number, wire, bits: this.fixed32(), bytes: noBytes, group: noFields };
      case Wire.BYTES:
        return { number, wire, bits: 0n, bytes: this.#take(Number(this.varint())), group: noFields };
      case Wire.GROUP:
        bounds.value(depth + 1, this.at);
        return { number, wire, bits: 0n, bytes: noBytes, group: this.fields(bounds, depth + 1, number) };
      default:
        throw new WireFault(this.at);
    }
  }

  #byte(): number {
    if (this.isAtEnd) throw new WireFault(this.at);
    return this.#bytes[this.at++];
  }

  #take(length: number): Buffer {
    const from = this.at;
    if (length > this.#bytes.length - from) throw new WireFault(from);
    this.at = from + length;
    return this.#bytes.subarray(from, this.at);
  }
}

/** The values of a packed field, or null when the bytes are not a whole number of such values. */
export function unpacked(bytes: Uint8Array, wire: Wire): bigint[] | null {
  const reader = new WireReader(bytes);
  const values: bigint[] = [];
  try {
    while (!reader.isAtEnd) {
      if (wire === Wire.VARINT) values.push(reader.varint());
      else values.push(wire === Wire.FIXED64 ? reader.fixed64() : reader.fixed32());
    }
    return values;
  } catch (error) {
    if (error instanceof WireFault) return null;
    throw error;
  }
}
