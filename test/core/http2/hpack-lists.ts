/** Lists of fields to and from header blocks, for tests. */
import { Field } from '../../../core/http2/field.js';
import type { HpackDecoder } from '../../../core/http2/hpack-decoder.js';
import type { HpackEncoder } from '../../../core/http2/hpack-encoder.js';

export type Pair = readonly [name: string, value: string];

const BOUND = 1 << 20;

/** Null: the block is malformed. */
export function decodeList(
  decoder: HpackDecoder,
  block: Buffer,
  listMax = BOUND,
  fieldsMax = BOUND,
): Pair[] | null {
  const pairs: Pair[] = [];
  const isRight = decoder.decode(block, 0, block.length, listMax, fieldsMax, {
    onField: ({ name, value }) => pairs.push([name, value]),
  });
  return isRight ? pairs : null;
}

export function encodeList(encoder: HpackEncoder, pairs: readonly Pair[], neverIndexed = ''): Buffer {
  const out = Buffer.alloc(64 * 1024);
  encoder.begin(out, neverIndexed);
  for (const [name, value] of pairs) {
    const bytes = Buffer.from(name + value, 'latin1');
    encoder.field(bytes, 0, name.length, name.length, bytes.length);
  }
  return out.subarray(0, encoder.end());
}

/** The decoder's dynamic table from its newest entry on. */
export function entriesOf({ table }: HpackDecoder): Pair[] {
  return Array.from({ length: table.count }, (_, age) => {
    const { name, value } = table.at(age)!;
    return [name, value] as const;
  });
}

export function fieldOf(name: string, value: string): Field {
  const field = new Field();
  field.set(name, value);
  return field;
}

/** The bytes of hexadecimal digits with any blanks between them. */
export function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
}
