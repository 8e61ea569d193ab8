import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { compressor, stored } from '../../../core/recording/member.js';
import { memberOf } from '../../support/recorded.js';
import t from '../../support/tap.js';

/** Records that repeat themselves, so that there is something to compress, and some that don't. */
const record = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc
    .array(fc.constantFrom('WARC-Type: request\r\n', 'the', 'és', '{"id":', '\0', 'aaaaaaaa', '1', ' '), {
      maxLength: 400,
    })
    .map((words) => Buffer.from(words.join(''))),
);

t.test('a member of either kind is gzip, and members one after the other are too', async (t) => {
  const compressed = compressor();
  fc.assert(
    fc.property(fc.array(record, { maxLength: 5 }), (records) => {
      for (const write of [compressed, stored]) {
        const file = Buffer.concat(
          [Buffer.from('first'), ...records].map((record) => memberOf(write, record)),
        );
        t.same(gunzipSync(file), Buffer.concat([Buffer.from('first'), ...records]));
      }
    }),
  );
});

t.test('a record of any size is whole, and never larger than it is stored', async (t) => {
  const compressed = compressor();
  const noise = Buffer.alloc(200_000);
  let seed = 1;
  for (let i = 0; i < noise.byteLength; i++) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) | 0;
    noise[i] = seed >>> 24;
  }
  for (const bytes of [
    0, 1, 3, 4, 5, 258, 259, 32_767, 32_768, 32_769, 65_535, 65_536, 131_070, 131_071, 200_000,
  ]) {
    for (const content of [Buffer.alloc(bytes, 'abc'), Buffer.alloc(bytes, 0xff), noise.subarray(0, bytes)]) {
      const plain = memberOf(stored, content);
      const small = memberOf(compressed, content);
      t.ok(gunzipSync(plain).equals(content), `${bytes} bytes stored`);
      t.ok(gunzipSync(small).equals(content), `${bytes} bytes compressed`);
      t.ok(small.byteLength <= plain.byteLength + 64, `${small.byteLength} of ${plain.byteLength} bytes`);
    }
  }
});

t.test('codes follow the records that come', async (t) => {
  const compressed = compressor();
  const letters = 'абвгдежзийклмнопрстуфхцчшщъыьэюя ';
  // No four bytes come again on purpose, so it is the codes of single bytes that make the difference.
  const record = (seed: number): Buffer => {
    let state = seed;
    const next = (): string => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
      return letters[(state >>> 16) % letters.length];
    };
    return Buffer.from(Array.from({ length: 500 }, next).join(''));
  };
  const bytesOf = (seed: number): number => memberOf(compressed, record(seed)).byteLength;
  const before = bytesOf(0);
  for (let seed = 1; seed < 1000; seed++) bytesOf(seed);
  t.ok(bytesOf(0) < 0.9 * before, `${bytesOf(0)} bytes after ${before}`);
});
