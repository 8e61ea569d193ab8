/** Values of binary documents in the terms of JSON. */
import { bytesText, invalidDocument } from './document-bounds.js';
import { type Json, JsonNumber } from './json.js';

export function numberOf(value: number | bigint): Json {
  // JSON has no such numbers, so they are texts.
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return new JsonNumber(Object.is(value, -0) ? '0' : String(value));
}

/** The name of a member: a map of a binary document may have keys of any type. */
export function nameOf(key: Json): string {
  if (typeof key === 'string') return key;
  if (key instanceof JsonNumber) return key.text;
  return Array.isArray(key) || key instanceof Map ? '(key)' : String(key);
}

/** UTF-8. Throws `JsonFault` where it is not. */
export function utf8(bytes: Uint8Array, position: number): string {
  const text = textOrNull(bytes);
  if (text === null) throw invalidDocument(position);
  return text;
}

const decoder = new TextDecoder('utf-8', { fatal: true });

export function textOrNull(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

/** Text, or the bytes where they are none. */
export function textOrBytes(bytes: Uint8Array): string {
  return textOrNull(bytes) ?? bytesText(bytes);
}
