import { lowerOf } from '../http/chars.js';
import { FIRST_DYNAMIC, staticFields } from './static-table.js';

/**
 * Names of fields whose values are secrets. In a shared table, the length of a block would reveal whether a
 * guess was right (RFC 7541, section 7.1). These fields are never indexed.
 */
const secretNames = [
  'authorization',
  'cookie',
  'proxy-authorization',
  'set-cookie',
  'x-api-key',
  'x-auth-token',
  'x-csrf-token',
  'x-xsrf-token',
];

const HASH_START = 0x811c9dc5;
const HASH_FACTOR = 0x01000193;
/** Folds high bits in, because the low bits depend only on the low bits of each byte. */
const HASH_FOLD = 15;

/** Returns the FNV-1a hash of `bytes[start, end)` in lower case. */
export function hashName(bytes: Uint8Array, start: number, end: number): number {
  const lower = lowerOf;
  let hash = HASH_START;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ lower[bytes[at]!]!, HASH_FACTOR);
  return hash ^ (hash >>> HASH_FOLD);
}

/** About this many bytes of a value are hashed, evenly spread: matches are compared in full anyway. */
const SAMPLED_BYTES = 16;

/** Returns the hash of a field from the hash of its name and its value. */
export function hashValue(nameHash: number, bytes: Uint8Array, start: number, end: number): number {
  const step = ((end - start) / SAMPLED_BYTES + 1) | 0;
  let hash = Math.imul(nameHash ^ (end - start), HASH_FACTOR);
  for (let at = end - 1; at >= start; at -= step) hash = Math.imul(hash ^ bytes[at]!, HASH_FACTOR);
  return hash ^ (hash >>> HASH_FOLD);
}

/**
 * Returns a hash of all of `bytes[start, end)`. `hashValue` skips some of them, so that the numbers in a row
 * of ids would look the same.
 */
export function hashWhole(seed: number, bytes: Uint8Array, start: number, end: number): number {
  let hash = seed ^ (end - start);
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, HASH_FACTOR);
  return hash;
}

/** Whether `text` equals `bytes[start, end)` in lower case. */
function isName(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (text.length !== length) return false;
  for (let at = 0; at < length; at++) {
    if (text.charCodeAt(at) !== lowerOf[bytes[start + at]!]) return false;
  }
  return true;
}

/** Whether `text` equals `bytes[start, end)`. */
export function isText(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (text.length !== length) return false;
  for (let at = 0; at < length; at++) if (text.charCodeAt(at) !== bytes[start + at]) return false;
  return true;
}

/** Several times the number of names, so that most have a slot of their own. */
const SLOTS = 256;

/** What the encoder knows of a name. */
export interface KnownName {
  readonly name: string;
  /** The first index of the name in the static table; 0 if it has none. */
  readonly index: number;
  /** The last index of the name in the static table. */
  lastIndex: number;
  readonly isSecret: boolean;
}

const slots = new Array<KnownName | null>(SLOTS).fill(null);

for (let index = 1; index < FIRST_DYNAMIC; index++) addName(staticFields[index]!.name, index);
for (const name of secretNames) addName(name, 0);

function addName(name: string, index: number): void {
  const bytes = Buffer.from(name, 'latin1');
  const known = knownName(bytes, 0, bytes.length, hashName(bytes, 0, bytes.length));
  if (known !== null) {
    if (index > 0) known.lastIndex = index;
    return;
  }
  let slot = hashName(bytes, 0, bytes.length) & (SLOTS - 1);
  while (slots[slot] !== null) slot = (slot + 1) & (SLOTS - 1);
  slots[slot] = { name, index, lastIndex: index, isSecret: secretNames.includes(name) };
}

/** Returns what the encoder knows of a name, or null. `hash`: of `hashName`. */
export function knownName(bytes: Uint8Array, start: number, end: number, hash: number): KnownName | null {
  let slot = hash & (SLOTS - 1);
  for (let known = slots[slot]!; known !== null; known = slots[slot]!) {
    if (isName(known.name, bytes, start, end)) return known;
    slot = (slot + 1) & (SLOTS - 1);
  }
  return null;
}
