/** The first bits of HPACK's representations (RFC 7541, section 6), and the prefix bits of integers. */
export const INDEXED = 0x80;
export const INDEXED_BITS = 7;
export const INSERTED = 0x40;
export const INSERTED_BITS = 6;
export const SIZE_UPDATE = 0x20;
export const SIZE_UPDATE_BITS = 5;
export const NEVER_INDEXED = 0x10;
export const LITERAL_BITS = 4;
/** The first bit of a string, and the prefix bits of its length (section 5.2). */
export const HUFFMAN = 0x80;
export const STRING_BITS = 7;
