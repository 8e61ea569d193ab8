/**
 * Protocol Buffers as documents, so that all that holds for JSON holds for them: fields are members, by name
 * where a descriptor set knows the type and by number elsewhere. Two bodies are read together, because what a
 * field without a type is shows in the values of both (protobuf-shape).
 *
 * With a type, what the sender may write in two ways is one document: the order of fields and of map entries,
 * packed and unpacked lists, messages in pieces, and a default that is written or left out, unless the field
 * has presence. Fields that the type does not know are kept by number. Functions throw `JsonFault`.
 */

import { limits } from '../limits.js';
import type { Descriptors } from '../protobuf/descriptors.js';
import { type FieldType, isMessage, type MessageType, wireOf } from '../protobuf/field-type.js';
import { readFields, unpacked, Wire, WireFault, type WireField } from '../protobuf/wire-format.js';
import { numberOf, textOrBytes } from './binary-value.js';
import { bytesText, DocumentBounds, invalidDocument } from './document-bounds.js';
import type { Json, JsonObject } from './json.js';
import { scalarOf, shortFloat } from './protobuf-scalar.js';
import { type FieldShape, fractionOf, Kind, MessageShape } from './protobuf-shape.js';
import { wellKnownTypes } from './well-known-types.js';

/** The messages of one body, read as far as their bytes alone say what they are. */
export type ParsedMessages = readonly (readonly WireField[])[];

const ENTRY_KEY = 1;
const ENTRY_VALUE = 2;
const noFields: readonly WireField[] = [];

/** Reads the messages of two bodies. It belongs to one pair. */
export class ProtobufPair {
  readonly #descriptors: Descriptors | null;
  readonly #type: MessageType | null;
  readonly #shape = new MessageShape();
  readonly #nested = new Map<WireField, readonly WireField[] | null>();
  #bounds = new DocumentBounds();
  #depth = 0;

  /** `type`: of all messages; null where it is not known. */
  constructor(descriptors: Descriptors | null, type: MessageType | null) {
    this.#descriptors = descriptors;
    this.#type = type;
  }

  /** Parses the messages of one side. All sides come before the first document. */
  parse(messages: readonly Uint8Array[]): ParsedMessages {
    this.#begin();
    return messages.map((bytes) => {
      const fields = parsed(() => readFields(bytes, this.#bounds, 1));
      this.#observe(fields, this.#type, this.#shape);
      return fields;
    });
  }

  documents(messages: ParsedMessages): Json[] {
    this.#begin();
    return messages.map((fields) => this.#document(fields, this.#type, this.#shape));
  }

  /** Each side has the whole bound: whether one is too large must not depend on the other. */
  #begin(): void {
    this.#bounds = new DocumentBounds();
    this.#depth = 0;
  }

  // --- what there is

  /** Looks for fields whose type is not known, at every depth. */
  #observe(fields: readonly WireField[], type: MessageType | null, shape: MessageShape): void {
    shape.observe(fields, type, (message, field) => typeOf(message, field) !== null);
    if (type === null) return;
    this.#enter();
    for (const field of fields) {
      const known = typeOf(type, field);
      if (known === null || !isMessage(known)) continue;
      const nested = this.#mustBeFields(field);
      const nestedType = this.#messageType(known);
      this.#observe(nested, nestedType, shape.known(known.number));
      if (nestedType.name === 'google.protobuf.Any') this.#observeAny(nested, shape.known(known.number));
    }
    this.#depth--;
  }

  #observeAny(any: readonly WireField[], shape: MessageShape): void {
    const { type, value } = this.#anyOf(any);
    const fields = type === null || value === null ? null : this.fieldsOf(value);
    if (fields !== null) this.#observe(fields, type, shape.known(ENTRY_VALUE));
  }

  #anyOf(any: readonly WireField[]): { url: string; type: MessageType | null; value: WireField | null } {
    const url = any.findLast(({ number }) => number === ENTRY_KEY)?.bytes.toString('utf8') ?? '';
    const type = this.#descriptors?.message(url.slice(url.lastIndexOf('/') + 1)) ?? null;
    return { url, type, value: any.findLast(({ number }) => number === ENTRY_VALUE) ?? null };
  }

  /** The fields of a nested message; null: the bytes are not one. */
  fieldsOf(field: WireField): readonly WireField[] | null {
    if (field.wire === Wire.GROUP) return field.group;
    if (field.wire !== Wire.BYTES) return null;
    const known = this.#nested.get(field);
    if (known !== undefined) return known;
    let fields: readonly WireField[] | null = null;
    try {
      fields = readFields(field.bytes, this.#bounds, 1);
    } catch (error) {
      if (!(error instanceof WireFault)) throw error;
    }
    this.#nested.set(field, fields);
    return fields;
  }

  #mustBeFields(field: WireField): readonly WireField[] {
    const fields = this.fieldsOf(field);
    if (fields === null) throw invalidDocument(0);
    return fields;
  }

  #messageType({ typeName }: FieldType): MessageType {
    return this.#descriptors!.message(typeName) ?? { name: typeName, fields: new Map(), isMapEntry: false };
  }

  #enter(): void {
    this.#bounds.value(++this.#depth, 0);
  }

  // --- documents

  #document(fields: readonly WireField[], type: MessageType | null, shape: MessageShape): JsonObject {
    const byNumber = new Map<number, WireField[]>();
    for (const field of fields) {
      const same = byNumber.get(field.number);
      if (same === undefined) byNumber.set(field.number, [field]);
      else same.push(field);
    }
    this.#enter();
    const document: JsonObject = new Map();
    for (const known of type?.fields.values() ?? []) {
      const own = (byNumber.get(known.number) ?? []).filter((field) => typeOf(type, field) !== null);
      const value = this.#known(known, own, shape);
      if (value !== undefined) document.set(known.name, value);
    }
    for (const [number, unknown] of shape.unknown) {
      const own = (byNumber.get(number) ?? []).filter((field) => typeOf(type, field) === null);
      const value = this.#unknown(own, unknown);
      if (value !== undefined) document.set(String(number), value);
    }
    this.#depth--;
    return document;
  }

  /** Undefined: the message has no such field, or its default where that is the same. */
  #known(type: FieldType, own: readonly WireField[], shape: MessageShape): Json | undefined {
    if (isMessage(type)) return this.#knownMessage(type, own, shape.known(type.number));
    const values = own.flatMap((field) => this.#bitsOf(type, field));
    if (type.repeated) return values.map((value) => scalarOf(type, value, this.#descriptors!));
    const last = values.at(-1);
    if (last === undefined) return undefined;
    const isDefault = last.bits === 0n && last.bytes.length === 0;
    return isDefault && !type.hasPresence ? undefined : scalarOf(type, last, this.#descriptors!);
  }

  #bitsOf({ scalar }: FieldType, field: WireField): readonly WireField[] {
    const wire = wireOf(scalar);
    if (field.wire === wire) return [field];
    // A list may come packed, whatever its type says, and in pieces.
    const values = unpacked(field.bytes, wire);
    if (values === null) throw invalidDocument(0);
    return values.map((bits) => ({ ...field, wire, bits, bytes: field.bytes.subarray(0, 0) }));
  }

  #knownMessage(type: FieldType, own: readonly WireField[], shape: MessageShape): Json | undefined {
    const message = this.#messageType(type);
    if (message.isMapEntry) return this.#map(message, own, shape);
    if (type.repeated)
      return own.map((field) => this.#messageDocument(this.#mustBeFields(field), message, shape));
    if (own.length === 0) return undefined;
    // A message in pieces is the message of all of them together.
    return this.#messageDocument(
      own.flatMap((field) => this.#mustBeFields(field)),
      message,
      shape,
    );
  }

  #map(entry: MessageType, own: readonly WireField[], shape: MessageShape): Json {
    const [keyType, valueType] = [entry.fields.get(ENTRY_KEY), entry.fields.get(ENTRY_VALUE)];
    if (keyType === undefined || valueType === undefined) throw invalidDocument(0);
    const members: JsonObject = new Map();
    for (const field of own) {
      const parts = this.#mustBeFields(field);
      const of = (type: FieldType) =>
        parts.filter((part) => part.number === type.number && typeOf(entry, part) !== null);
      const key = of(keyType)
        .flatMap((part) => this.#bitsOf(keyType, part))
        .at(-1);
      const name = scalarOf(keyType, key ?? null, this.#descriptors!);
      members.set(memberName(name), this.#mapValue(valueType, of(valueType), shape));
    }
    return members;
  }

  #mapValue(type: FieldType, own: readonly WireField[], shape: MessageShape): Json {
    if (isMessage(type)) {
      const fields = own.flatMap((field) => this.#mustBeFields(field));
      return this.#messageDocument(fields, this.#messageType(type), shape.known(type.number));
    }
    const last = own.flatMap((field) => this.#bitsOf(type, field)).at(-1);
    return scalarOf(type, last ?? null, this.#descriptors!);
  }

  #messageDocument(fields: readonly WireField[], type: MessageType, shape: MessageShape): Json {
    if (type.name === 'google.protobuf.Any') return this.#anyDocument(fields, shape);
    const document = this.#document(fields, type, shape);
    const value = wellKnownTypes.get(type.name)?.(document);
    return value === undefined ? document : value;
  }

  #anyDocument(fields: readonly WireField[], shape: MessageShape): Json {
    const { url, type, value } = this.#anyOf(fields);
    const content = value === null ? noFields : this.fieldsOf(value);
    if (type === null || content === null) {
      const bytes = value === null ? '' : bytesText(value.bytes);
      return new Map<string, Json>([['@type', url], ...(bytes === '' ? [] : [['value', bytes] as const])]);
    }
    const document = this.#messageDocument(content, type, shape.known(ENTRY_VALUE));
    if (document instanceof Map) return new Map([['@type', url], ...document]);
    return new Map<string, Json>([
      ['@type', url],
      ['value', document],
    ]);
  }

  #unknown(own: readonly WireField[], shape: FieldShape): Json | undefined {
    const kind = this.#depth > limits.protobufGuessDepth ? Kind.BYTES : shape.kind(this);
    if (!shape.isList) return own.length === 0 ? undefined : this.#unknownValues(own[0], kind, shape)[0];
    return own.flatMap((field) => this.#unknownValues(field, kind, shape));
  }

  #unknownValues(field: WireField, kind: Kind, { message, values }: FieldShape): readonly Json[] {
    if (kind === Kind.MESSAGE) return [this.#document(this.#mustBeFields(field), null, message)];
    if (kind === Kind.TEXT) return [textOrBytes(field.bytes)];
    if (kind === Kind.BYTES && field.wire === Wire.BYTES) return [bytesText(field.bytes)];
    if (kind === Kind.MIXED && field.wire === Wire.BYTES) return [textOrBytes(field.bytes)];
    if (field.wire === Wire.GROUP) return [this.#document(field.group, null, message)];
    const wire = values.find((value) => value.wire !== Wire.BYTES)?.wire ?? Wire.VARINT;
    const bits = field.wire === Wire.BYTES ? (unpacked(field.bytes, wire) ?? []) : [field.bits];
    return bits.map((value) => {
      this.#bounds.value(this.#depth, 0);
      if (kind === Kind.FRACTION) return numberOf(fractionText(value, wire));
      return numberOf(BigInt.asIntN(wire === Wire.FIXED32 ? 32 : 64, value));
    });
  }
}

function fractionText(bits: bigint, wire: Wire): number {
  const value = fractionOf(bits, wire);
  return wire === Wire.FIXED32 ? shortFloat(value) : value;
}

/** The type of a field that stands as its type says, or null. */
function typeOf(type: MessageType | null, { number, wire }: WireField): FieldType | null {
  const known = type?.fields.get(number);
  if (known === undefined) return null;
  if (isMessage(known)) return wire === Wire.BYTES || wire === Wire.GROUP ? known : null;
  const expected = wireOf(known.scalar);
  return wire === expected || (wire === Wire.BYTES && known.repeated) ? known : null;
}

function memberName(key: Json): string {
  return typeof key === 'string'
    ? key
    : key === true
      ? 'true'
      : key === false
        ? 'false'
        : (key as { text: string }).text;
}

function parsed<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof WireFault) throw invalidDocument(error.position);
    throw error;
  }
}

/** One message by itself. */
export function parseProtobuf(bytes: Uint8Array): Json {
  const alone = new ProtobufPair(null, null);
  return alone.documents(alone.parse([bytes]))[0];
}
