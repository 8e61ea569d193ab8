import fc from 'fast-check';
import { HpackDecoder } from '../../../core/http2/hpack-decoder.js';
import { LiteralCache } from '../../../core/http2/literal-cache.js';
import t, { type Test } from '../../support/tap.js';
import { decodeList, entriesOf, hex, type Pair } from './hpack-lists.js';

const TABLE = 4096;

interface Example {
  readonly block: string;
  readonly list: readonly Pair[];
  readonly size: number;
  readonly table: readonly Pair[];
}

const first: Pair[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'www.example.com'],
];
const third: Pair[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':path', '/index.html'],
  [':authority', 'www.example.com'],
  ['custom-key', 'custom-value'],
];
const authority: Pair = [':authority', 'www.example.com'];
const noCache: Pair = ['cache-control', 'no-cache'];
const custom: Pair = ['custom-key', 'custom-value'];

const requests = (blocks: readonly [string, string, string]): Example[] => [
  { block: blocks[0], list: first, size: 57, table: [authority] },
  { block: blocks[1], list: [...first, noCache], size: 110, table: [noCache, authority] },
  { block: blocks[2], list: third, size: 164, table: [custom, noCache, authority] },
];

const at21: Pair = ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'];
const at22: Pair = ['date', 'Mon, 21 Oct 2013 20:13:22 GMT'];
const location: Pair = ['location', 'https://www.example.com'];
const cacheControl: Pair = ['cache-control', 'private'];
const cookie: Pair = ['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'];
const gzip: Pair = ['content-encoding', 'gzip'];
const is302: Pair = [':status', '302'];
const is307: Pair = [':status', '307'];

const responses = (blocks: readonly [string, string, string]): Example[] => [
  {
    block: blocks[0],
    list: [is302, cacheControl, at21, location],
    size: 222,
    table: [location, at21, cacheControl, is302],
  },
  {
    block: blocks[1],
    list: [is307, cacheControl, at21, location],
    size: 222,
    table: [is307, location, at21, cacheControl],
  },
  {
    block: blocks[2],
    list: [[':status', '200'], cacheControl, at22, location, gzip, cookie],
    size: 215,
    table: [cookie, gzip, at22],
  },
];

function check(t: Test, tableBytes: number, examples: readonly Example[]): void {
  const decoder = new HpackDecoder(tableBytes, new LiteralCache());
  for (const { block, list, size, table } of examples) {
    t.strictSame(decodeList(decoder, hex(block)), list);
    t.strictSame(entriesOf(decoder), table);
    t.equal(decoder.table.size, size);
  }
}

t.test('single representations (RFC 7541, appendix C.2)', async (t) => {
  const rows: [block: string, list: Pair[], size: number][] = [
    [
      '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572',
      [['custom-key', 'custom-header']],
      55,
    ],
    ['040c 2f73 616d 706c 652f 7061 7468', [[':path', '/sample/path']], 0],
    ['1008 7061 7373 776f 7264 0673 6563 7265 74', [['password', 'secret']], 0],
    ['82', [[':method', 'GET']], 0],
  ];
  for (const [block, list, size] of rows) {
    const decoder = new HpackDecoder(TABLE, new LiteralCache());
    t.strictSame(decodeList(decoder, hex(block)), list);
    t.equal(decoder.table.size, size);
  }
});

t.test('requests without Huffman code (appendix C.3)', async (t) => {
  const blocks = [
    '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
    '8286 84be 5808 6e6f 2d63 6163 6865',
    '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
  ] as const;
  check(t, TABLE, requests(blocks));
});

t.test('requests with Huffman code (appendix C.4)', async (t) => {
  const blocks = [
    '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
    '8286 84be 5886 a8eb 1064 9cbf',
    '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
  ] as const;
  check(t, TABLE, requests(blocks));
});

t.test('responses without Huffman code, in a table of 256 bytes (appendix C.5)', async (t) => {
  const blocks = [
    `4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120
     474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
    '4803 3330 37c1 c0bf',
    `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738
     666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33
     3630 303b 2076 6572 7369 6f6e 3d31`,
  ] as const;
  check(t, 256, responses(blocks));
});

t.test('responses with Huffman code, in a table of 256 bytes (appendix C.6)', async (t) => {
  const blocks = [
    `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718
     63c7 8f0b 97c8 e9ae 82ae 43d3`,
    '4883 640e ffc1 c0bf',
    `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7
     b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
  ] as const;
  check(t, 256, responses(blocks));
});

t.test('blocks that are malformed', async (t) => {
  const rows: [block: string, why: string][] = [
    ['80', 'index 0'],
    ['be', 'an index that the table has not'],
    ['ff80808080808001', 'a number without an end'],
    ['ff', 'a number that is cut'],
    ['40', 'a literal that is cut before its name'],
    ['4001', 'a literal that is cut within its name'],
    ['400161', 'a literal that is cut before its value'],
    ['40016105', 'a literal that is cut within its value'],
    ['007f', 'a length that continues past the end'],
    ['00ffffffff7f', 'a length that is longer than the block'],
    ['4001618100', 'Huffman code with wrong padding'],
    ['3fe21f', 'a size update above what SETTINGS allow'],
    ['823f01', 'a size update behind a field'],
  ];
  for (const [block, why] of rows)
    t.equal(decodeList(new HpackDecoder(TABLE, new LiteralCache()), hex(block)), null, why);
});

t.test('size updates at the beginning of a block empty and fill the table (section 4.3)', async (t) => {
  const decoder = new HpackDecoder(TABLE, new LiteralCache());
  decodeList(decoder, hex('4001610162 4001630164'));
  t.equal(decoder.table.count, 2);
  t.strictSame(decodeList(decoder, hex('20 3fe11f 4001650166')), [['e', 'f']]);
  t.strictSame(entriesOf(decoder), [['e', 'f']]);
});

t.test('a field that is larger than the table empties it, and is handed out (section 4.4)', async (t) => {
  const decoder = new HpackDecoder(64, new LiteralCache());
  decodeList(decoder, hex('4001610162'));
  const large = `4001 61 40 ${'62'.repeat(64)}`;
  t.strictSame(decodeList(decoder, hex(large)), [['a', 'b'.repeat(64)]]);
  t.equal(decoder.table.count, 0);
});

t.test('a list past its bound is not kept, and still fills the table', async (t) => {
  const decoder = new HpackDecoder(TABLE, new LiteralCache());
  // Two fields of 34 bytes, then one never indexed and one that enters the table.
  const block = hex('4001610162 4001630164 1001650166 0f1d0167 4001690167');
  t.strictSame(decodeList(decoder, block, 70), [
    ['a', 'b'],
    ['c', 'd'],
  ]);
  t.ok(decoder.overflowed);
  t.strictSame(entriesOf(decoder), [
    ['i', 'g'],
    ['c', 'd'],
    ['a', 'b'],
  ]);
  t.strictSame(decodeList(decoder, hex('be'), 70), [['i', 'g']]);
  t.notOk(decoder.overflowed);
});

t.test('16,000 references to one large field make one field more than the bound allows', async (t) => {
  const decoder = new HpackDecoder(TABLE, new LiteralCache());
  decodeList(decoder, hex(`400161 7f${'8119'} ${'62'.repeat(3328)}`));
  t.equal(decoder.table.count, 1);
  const pairs = decodeList(decoder, Buffer.alloc(16_000, 0xbe), 16 * 1024, 256);
  t.ok(decoder.overflowed);
  t.equal(pairs?.length, 4);
});

t.test('malformed bytes behind the bound are malformed all the same', async (t) => {
  for (const rest of ['80', 'be', '00', '0001', '00016105', '0e'])
    t.equal(decodeList(new HpackDecoder(TABLE, new LiteralCache()), hex(`82${rest}`), 1), null, rest);
});

t.test('any bytes are decoded or refused, within the bounds of the table and of the list', async () => {
  // Bytes that begin representations, and short lengths, are met more often.
  const byte = fc.oneof(
    fc.nat({ max: 255 }),
    fc.constantFrom(0x00, 0x01, 0x02, 0x40, 0x82, 0xbe, 0xbf, 0x3f, 0x20),
  );
  fc.assert(
    fc.property(fc.array(fc.array(byte, { maxLength: 60 }), { maxLength: 8 }), (blocks) => {
      const decoder = new HpackDecoder(200, new LiteralCache());
      for (const block of blocks) {
        const pairs = decodeList(decoder, Buffer.from(block), 150, 3);
        const entries = entriesOf(decoder);
        const sizes = entries.map(([name, value]) => name.length + value.length + 32);
        if (decoder.table.size > 200 || decoder.table.size !== sizes.reduce((sum, size) => sum + size, 0))
          return false;
        if (pairs === null) return true;
        if (pairs.length > 3) return false;
      }
      return true;
    }),
    { numRuns: 3000 },
  );
});
