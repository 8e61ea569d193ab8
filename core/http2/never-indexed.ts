/**
 * Names of the fields of one message that are never to be indexed, on no hop (RFC 7541, section 6.2.3): in
 * lower case, with a comma on both sides of each. Most messages have none. `EVERY` stands for all of its
 * fields where the names would be too many, so that each field is looked up in a short text.
 */
const EVERY = '*';
const CHARS_MAX = 256;

/** `names` with one more. */
export function withName(names: string, name: string): string {
  if (names === '') return name.length < CHARS_MAX ? `,${name},` : EVERY;
  if (names === EVERY || names.includes(`,${name},`)) return names;
  return names.length + name.length < CHARS_MAX ? `${names}${name},` : EVERY;
}

/** Whether the name `bytes[start, end)`, in any case, is one of `names`. */
export function hasName(names: string, bytes: Buffer, start: number, end: number): boolean {
  if (names === '') return false;
  return names === EVERY || names.includes(`,${bytes.toString('latin1', start, end).toLowerCase()},`);
}
