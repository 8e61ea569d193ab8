import { lowerOf } from '../http/chars.js';
import { FIRST_DYNAMIC, staticFields } from './static-table.js';

/**
 * Names whose values are secrets, or parts of some. The length of what is sent would show whether a guess in
 * the same table was right (RFC 7541, section 7.1). Their fields are never indexed, on no hop.
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
/** The lowest bits depend on the lowest of each byte alone, until higher ones are folded in. */
const HASH_FOLD = 15;

/** FNV-1a of `bytes[start, end)` in lower case. */
export function hashName(bytes: Uint8Array, start: number, end: number): number {
  const lower = lowerOf;
  let hash = HASH_START;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ lower[bytes[at]!]!, HASH_FACTOR);
  return hash ^ (hash >>> HASH_FOLD);
}

/** About so many bytes of a value are hashed, from all over it: a field that is found is compared anyway. */
const SAMPLED_BYTES = 16;

/** The hash of a name goes on with the value behind it. */
export function hashValue(nameHash: number, bytes: Uint8Array, start: number, end: number): number {
  const step = ((end - start) / SAMPLED_BYTES + 1) | 0;
  let hash = Math.imul(nameHash ^ (end - start), HASH_FACTOR);
  for (let at = end - 1; at >= start; at -= step) hash = Math.imul(hash ^ bytes[at]!, HASH_FACTOR);
  return hash ^ (hash >>> HASH_FOLD);
}

/** Whether `text` is `bytes[start, end)`, whose capital letters count as small ones. */
export function isName(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (text.length !== length) return false;
  for (let at = 0; at < length; at++) {
    if (text.charCodeAt(at) !== lowerOf[bytes[start + at]!]) return false;
  }
  return true;
}

/** Whether `text` is `bytes[start, end)`. */
export function isText(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (text.length !== length) return false;
  for (let at = 0; at < length; at++) if (text.charCodeAt(at) !== bytes[start + at]) return false;
  return true;
}

/** Twice the names, so that most are alone at their place. */
const SLOTS = 256;

/** What the encoder knows of a name. */
interface KnownName {
  readonly name: string;
  /** The first index of the static table with this name; 0: it has none. */
  readonly index: number;
  /** The last one. */
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

/** What is known of a name by its hash; null: nothing. */
export function knownName(bytes: Uint8Array, start: number, end: number, hash: number): KnownName | null {
  let slot = hash & (SLOTS - 1);
  for (let known = slots[slot]!; known !== null; known = slots[slot]!) {
    if (isName(known.name, bytes, start, end)) return known;
    slot = (slot + 1) & (SLOTS - 1);
  }
  return null;
}
