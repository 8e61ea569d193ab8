/**
 * What the fields of messages without a known type are. One value says little: `(!` is a text, and a message
 * with a field 5. So all values of a field in both bodies are looked at together, and both are read alike:
 *
 *   values of bytes that are all readable texts     texts
 *   values of bytes that are all messages           messages, whose fields are looked at in the same way
 *   values of bytes beside varints or fixed ones    packed, where all of them can be read so
 *   other values of bytes                           bytes
 *   8 or 4 bytes that are all plausible fractions   floating-point numbers, else integers
 *   varints                                         integers of 64 bits with a sign
 *   more than one value in any message              a list everywhere
 */
import type { MessageType } from '../protobuf/field-type.js';
import { unpacked, Wire, type WireField } from '../protobuf/wire-format.js';
import { textOrNull } from './binary-value.js';

export const Kind = {
  NUMBER: 0,
  TEXT: 1,
  MESSAGE: 2,
  BYTES: 3,
  FRACTION: 4,
  /** Values of different wire types that nothing explains: each is read by its own. */
  MIXED: 5,
} as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

/** Reads what nested messages are made of. */
export interface Nesting {
  /** Null: these bytes are not a message. Throws `JsonFault` past a bound. */
  fieldsOf(field: WireField): readonly WireField[] | null;
}

/** All messages that were seen at one place, on both sides. */
export class MessageShape {
  /** Fields whose type is not known, by number. */
  readonly unknown = new Map<number, FieldShape>();
  /** Messages in fields whose type is known, by number. */
  readonly #known = new Map<number, MessageShape>();

  /** Adds a message at this place. The fields that `type` knows are no business of shapes. */
  observe(fields: readonly WireField[], type: MessageType | null, isKnown: IsKnown): void {
    const counts = new Map<number, number>();
    for (const field of fields) {
      const { number } = field;
      if (isKnown(type, field)) continue;
      let shape = this.unknown.get(number);
      if (shape === undefined) {
        shape = new FieldShape();
        this.unknown.set(number, shape);
      }
      shape.values.push(field);
      const count = (counts.get(number) ?? 0) + 1;
      counts.set(number, count);
      if (count > 1) shape.isList = true;
    }
  }

  known(number: number): MessageShape {
    let shape = this.#known.get(number);
    if (shape === undefined) {
      shape = new MessageShape();
      this.#known.set(number, shape);
    }
    return shape;
  }
}

export type IsKnown = (type: MessageType | null, field: WireField) => boolean;

export class FieldShape {
  readonly values: WireField[] = [];
  isList = false;
  /** The shape of the values, if they are messages. */
  readonly message = new MessageShape();
  #kind: Kind | null = null;

  /** The kind of all values; call it after the last message was observed. */
  kind(nesting: Nesting): Kind {
    this.#kind ??= this.#judge(nesting);
    return this.#kind;
  }

  #judge(nesting: Nesting): Kind {
    const { values } = this;
    const wires = new Set(values.map(({ wire }) => wire));
    if (wires.has(Wire.GROUP) || (wires.size === 1 && wires.has(Wire.BYTES)))
      return this.#ofContent(nesting, wires);
    const fixed = wires.has(Wire.FIXED64)
      ? Wire.FIXED64
      : wires.has(Wire.FIXED32)
        ? Wire.FIXED32
        : Wire.VARINT;
    wires.delete(Wire.BYTES);
    if (wires.size > 1) return Kind.MIXED;
    const numbers: bigint[] = [];
    for (const { wire, bits, bytes } of values) {
      const packed = wire === Wire.BYTES ? unpacked(bytes, fixed) : [bits];
      if (packed === null) return Kind.MIXED;
      if (wire === Wire.BYTES) this.isList = true;
      numbers.push(...packed);
    }
    if (fixed === Wire.VARINT) return Kind.NUMBER;
    return numbers.every((bits) => isFraction(bits, fixed)) ? Kind.FRACTION : Kind.NUMBER;
  }

  #ofContent(nesting: Nesting, wires: ReadonlySet<Wire>): Kind {
    if (!wires.has(Wire.GROUP) && this.values.every(({ bytes }) => isReadable(bytes))) return Kind.TEXT;
    const messages = this.values.map((field) => nesting.fieldsOf(field));
    if (messages.some((fields) => fields === null)) {
      return wires.has(Wire.GROUP) ? Kind.MIXED : Kind.BYTES;
    }
    for (const fields of messages) this.message.observe(fields!, null, () => false);
    return Kind.MESSAGE;
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: a message has such characters, a text seldom.
const controls = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/;

/** A message whose first field is a text begins with a line feed. */
function isReadable(bytes: Buffer): boolean {
  const text = textOrNull(bytes);
  return text !== null && !controls.test(text) && !text.startsWith('\n');
}

/** Fractions that services send; small integers in 8 or 4 bytes are fractions near 0 that nobody sends. */
const [smallest, largest] = [1e-12, 1e18];

function isFraction(bits: bigint, wire: Wire): boolean {
  const value = Math.abs(fractionOf(bits, wire));
  return value === 0 || (value > smallest && value < largest);
}

const scratch = Buffer.alloc(8);

/** The bits of a fixed field as IEEE 754. */
export function fractionOf(bits: bigint, wire: Wire): number {
  if (wire === Wire.FIXED64) {
    scratch.writeBigUInt64LE(bits);
    return scratch.readDoubleLE();
  }
  scratch.writeUInt32LE(Number(bits));
  return scratch.readFloatLE();
}
