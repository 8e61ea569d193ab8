/**
 * Names of the fields of one message that are never to be indexed, on no hop (RFC 7541, section 6.2.3): in
 * lower case, with a comma on both sides of each. Most messages have none.
 */

/** `names` with one more. */
export function withName(names: string, name: string): string {
  return names === '' ? `,${name},` : `${names}${name},`;
}

/** Whether the name `bytes[start, end)`, in any case, is one of `names`. */
export function hasName(names: string, bytes: Buffer, start: number, end: number): boolean {
  return names !== '' && names.includes(`,${bytes.toString('latin1', start, end).toLowerCase()},`);
}
