import fc from 'fast-check';
import { limits } from '../../../core/limits.js';
import { NameBlock, ResolvedName } from '../../../core/upstream/resolved-name.js';
import t from '../../support/tap.js';

t.test(
  'a failed lookup, and one that finds nothing, keep the last good addresses and are counted',
  async (t) => {
    const name = new ResolvedName('a');
    const block = new NameBlock(name.shared);
    t.ok(name.found(['10.0.0.1', '10.0.0.2']));
    name.failed();
    t.notOk(name.found([]));
    t.same(name.addresses, ['10.0.0.1', '10.0.0.2']);
    t.match(block, { lookups: 3, failures: 2, addresses: 2 });
    t.equal(name.failuresInARow, 2);
    name.found(['10.0.0.1', '10.0.0.2']);
    t.equal(name.failuresInARow, 0);
  },
);

t.test('another order is no change, and what stays keeps its place', async (t) => {
  const name = new ResolvedName('a');
  name.found(['10.0.0.1', '10.0.0.2', '10.0.0.3']);
  t.notOk(name.found(['10.0.0.3', '10.0.0.1', '10.0.0.2', '10.0.0.1']));
  t.ok(name.found(['10.0.0.9', '10.0.0.3', '10.0.0.1']));
  t.same(name.addresses, ['10.0.0.1', '10.0.0.3', '10.0.0.9']);
});

t.test('of too many addresses the same ones are used, in whatever order they come', async (t) => {
  const all = Array.from({ length: 3 * limits.addressesPerName }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
  const name = new ResolvedName('a');
  t.ok(name.found(all));
  t.equal(name.addresses.length, limits.addressesPerName);
  t.notOk(name.found([...all].reverse()));
});

t.test(
  'after any lookups the addresses are those of the last good one, and reported as changed only if they are',
  async () => {
    const address = fc.integer({ min: 1, max: 6 }).map((i) => `10.0.0.${i}`);
    const lookup = fc.option(fc.array(address, { maxLength: 6 }), { nil: null });
    fc.assert(
      fc.property(fc.array(lookup), (lookups) => {
        const name = new ResolvedName('a');
        let good = new Set<string>();
        for (const found of lookups) {
          const before = good;
          if (found !== null && found.length > 0) good = new Set(found);
          let changed = false;
          if (found === null) name.failed();
          else changed = name.found(found);
          const same = before.size === good.size && [...before].every((one) => good.has(one));
          if (changed === same) throw new Error('told wrongly');
          if (name.addresses.length !== good.size || !name.addresses.every((one) => good.has(one))) {
            throw new Error('wrong addresses');
          }
        }
      }),
    );
  },
);
