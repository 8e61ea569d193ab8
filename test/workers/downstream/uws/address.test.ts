import { isIP } from 'node:net';
import fc from 'fast-check';
import { addressText } from '../../../../workers/downstream/uws/address.js';
import t from '../../../support/tap.js';

function text(...bytes: number[]): string {
  return addressText(new Uint8Array(bytes).buffer);
}

function v6(...groups: number[]): string {
  return text(...groups.flatMap((group) => [group >> 8, group & 0xff]));
}

t.test('addresses read as RFC 5952 writes them', async (t) => {
  t.equal(text(), '');
  t.equal(text(127, 0, 0, 1), '127.0.0.1');
  t.equal(v6(0, 0, 0, 0, 0, 0xffff, 0xc000, 0x0201), '192.0.2.1');
  t.equal(v6(0, 0, 0, 0, 0, 0, 0, 0), '::');
  t.equal(v6(0, 0, 0, 0, 0, 0, 0, 1), '::1');
  t.equal(v6(0xfe80, 0, 0, 0, 0, 0, 0, 0), 'fe80::');
  t.equal(v6(0x2001, 0xdb8, 0, 0, 1, 0, 0, 1), '2001:db8::1:0:0:1', 'the first of two equal runs');
  t.equal(v6(0x2001, 0, 0, 1, 0, 0, 0, 1), '2001:0:0:1::1', 'the longer run');
  t.equal(v6(0x2001, 0xdb8, 0, 1, 1, 1, 1, 1), '2001:db8:0:1:1:1:1:1', 'one group is not shortened');
});

t.test('every IPv6 address comes out as one that the URL standard would write the same', async (t) => {
  const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
      const made = v6(...groups);
      if (isIP(made) !== 6) return isIP(made) === 4;
      return new URL(`http://[${groups.map((g) => g.toString(16)).join(':')}]`).hostname === `[${made}]`;
    }),
  );
  t.pass();
});
