import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import t from 'tap';
import { compressed, stored } from '../../../core/recording/member.js';

t.test('a member of either kind is gzip, and members one after the other are too', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }), (records) => {
      for (const member of [compressed, stored]) {
        const file = Buffer.concat([member(Buffer.from('first')), ...records.map(member)]);
        t.same(gunzipSync(file), Buffer.concat([Buffer.from('first'), ...records]));
      }
    }),
  );
});

t.test('a record of more than one stored block is whole', async (t) => {
  for (const bytes of [65_535, 65_536, 131_070, 131_071, 1_000_000]) {
    const record = Buffer.alloc(bytes, 'abc');
    t.ok(gunzipSync(stored(record)).equals(record), `${bytes} bytes`);
  }
});
