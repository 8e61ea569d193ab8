import fc from 'fast-check';
import { codedBytes, decodedBytesMax, decodeHuffman, encodeHuffman } from '../../../core/http2/huffman.js';
import { codeOf, EOS } from '../../../core/http2/huffman-code.js';
import t from '../../support/tap.js';

function encode(bytes: Uint8Array): Buffer {
  const out = Buffer.alloc(bytes.length * 4 + 4);
  return out.subarray(0, encodeHuffman(bytes, 0, bytes.length, out, 0));
}

/** Null: refused. */
function decode(coded: Uint8Array): Buffer | null {
  const out = Buffer.alloc(decodedBytesMax(coded.length));
  const count = decodeHuffman(coded, 0, coded.length, out);
  return count < 0 ? null : out.subarray(0, count);
}

t.test('codes are those of RFC 7541, appendix B', async (t) => {
  const rows: [symbol: number, code: number][] = [
    [0, 0x1ff8],
    [10, 0x3ffffffc],
    [32, 0x14],
    [48, 0x0],
    [97, 0x3],
    [122, 0x7b],
    [127, 0xffffffc],
    [128, 0xfffe6],
    [249, 0xffffffe],
    [255, 0x3ffffee],
    [EOS, 0x3fffffff],
  ];
  for (const [symbol, code] of rows) t.equal(codeOf[symbol], code, `symbol ${symbol}`);
});

t.test('any bytes come back from their code, which is as long as announced', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const coded = encode(bytes);
      const decoded = decode(coded);
      return (
        coded.length === codedBytes(bytes, 0, bytes.length) &&
        decoded !== null &&
        decoded.equals(Buffer.from(bytes))
      );
    }),
  );
});

t.test('whatever is decoded is coded back to the same bytes: there is one code for each string', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (coded) => {
      const decoded = decode(coded);
      return decoded === null || encode(decoded).equals(Buffer.from(coded));
    }),
    { numRuns: 2000 },
  );
});

t.test('padding that is not the beginning of EOS is refused (RFC 7541, section 5.2)', async (t) => {
  const rows: [coded: string, decoded: string | null, why: string][] = [
    ['', '', 'an empty string'],
    ['1f', 'a', 'three ones'],
    ['1e', null, 'a zero in the padding'],
    ['1fff', null, 'padding of a whole byte'],
    ['ff', null, 'nothing but padding of eight bits'],
    ['3fffffff', null, 'EOS'],
    ['ffffffff', null, 'EOS and more'],
    ['1ffffffffc', null, 'EOS within the string'],
  ];
  for (const [coded, decoded, why] of rows) {
    t.equal(decode(Buffer.from(coded, 'hex'))?.toString('latin1') ?? null, decoded, why);
  }
});
