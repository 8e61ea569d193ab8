/**
 * Protocol Buffers without a descriptor: fields by number, values by wire type
 * (protobuf.dev/programming-guides/encoding). A field of bytes is text where it can be read as such,
 * else a message where it can be, else bytes. Throws `JsonFault`.
 */
import { numberOf, textOrNull } from './binary-value.js';
import { ByteCursor } from './byte-cursor.js';
import { bytesText, DocumentBounds, invalidDocument } from './document-bounds.js';
import { type Json, JsonFault, type JsonObject } from './json.js';

const Wire = { VARINT: 0, FIXED64: 1, BYTES: 2, START_GROUP: 3, END_GROUP: 4, FIXED32: 5 } as const;
/** A varint has at most so many bytes. */
const varintBytes = 10;
const frameHeadBytes = 5;

export function parseProtobuf(bytes: Uint8Array): Json {
  return message(new ByteCursor(bytes), new DocumentBounds(), 0, null);
}

/** The messages of a gRPC body: each with a flag (compressed or not) and its length before it. */
export function parseGrpc(bytes: Uint8Array): Json {
  const cursor = new ByteCursor(bytes);
  const bounds = new DocumentBounds();
  const messages: Json[] = [];
  while (!cursor.isAtEnd) {
    const head = cursor.bytes(frameHeadBytes);
    const content = cursor.bytes(head.readUInt32BE(1));
    messages.push(head[0] === 0 ? message(new ByteCursor(content), bounds, 1, null) : bytesText(content));
  }
  return messages;
}

/** `group`: the number of the field whose end is awaited; null up to the end of the bytes. */
function message(
  cursor: ByteCursor,
  bounds: DocumentBounds,
  depth: number,
  group: bigint | null,
): JsonObject {
  const fields: JsonObject = new Map();
  bounds.value(depth, cursor.at);
  while (!cursor.isAtEnd) {
    const tag = varint(cursor);
    const [number, wire] = [tag >> 3n, Number(tag & 7n)];
    if (wire === Wire.END_GROUP && number === group) return fields;
    if (number === 0n) throw invalidDocument(cursor.at);
    const value = fieldValue(cursor, bounds, depth, wire, number);
    const known = fields.get(String(number));
    if (known === undefined) fields.set(String(number), value);
    else if (Array.isArray(known)) known.push(value);
    else fields.set(String(number), [known, value]);
  }
  if (group !== null) throw invalidDocument(cursor.at);
  return fields;
}

function fieldValue(
  cursor: ByteCursor,
  bounds: DocumentBounds,
  depth: number,
  wire: number,
  number: bigint,
): Json {
  bounds.value(depth, cursor.at);
  switch (wire) {
    case Wire.VARINT:
      return numberOf(varint(cursor));
    case Wire.FIXED64:
      return bytesText(cursor.bytes(8));
    case Wire.FIXED32:
      return bytesText(cursor.bytes(4));
    case Wire.START_GROUP:
      return message(cursor, bounds, depth + 1, number);
    case Wire.BYTES:
      return bytesValue(cursor.bytes(Number(varint(cursor))), bounds, depth + 1);
    default:
      throw invalidDocument(cursor.at);
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: a message has such characters, a text seldom.
const controls = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/;

function bytesValue(bytes: Buffer, bounds: DocumentBounds, depth: number): Json {
  const text = textOrNull(bytes);
  if (text !== null && !controls.test(text) && !text.startsWith('\n')) return text;
  try {
    return message(new ByteCursor(bytes), bounds, depth, null);
  } catch (error) {
    if (!(error instanceof JsonFault) || error.reason !== 'invalid-document') throw error;
    return text ?? bytesText(bytes);
  }
}

function varint(cursor: ByteCursor): bigint {
  let value = 0n;
  for (let i = 0; i < varintBytes; i++) {
    const byte = cursor.byte();
    value |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte < 0x80) return value;
  }
  throw invalidDocument(cursor.at);
}
