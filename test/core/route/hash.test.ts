import { hashed, mixed } from '../../../core/route/hash.js';
import t from '../../support/tap.js';

t.test('the hash is FNV-1a, by its published values', async (t) => {
  const published: [string, number][] = [
    ['', 0x811c9dc5],
    ['a', 0xe40c292c],
    ['foobar', 0xbf9cf968],
  ];
  for (const [text, value] of published) t.equal(hashed(text) >>> 0, value, text);
});

t.test('a hash can continue from the state of its begin', async (t) => {
  t.equal(hashed('bar', hashed('foo')), hashed('foobar'));
});

t.test('the finaliser is that of MurmurHash3, by its published values for an empty key', async (t) => {
  t.equal(mixed(0), 0);
  t.equal(mixed(1), 0x514e28b7);
  t.equal(mixed(0xffffffff | 0), 0x81f16f39);
});
