import { hasName, withName } from '../../../core/http2/never-indexed.js';
import t from '../../support/tap.js';

function has(names: string, name: string): boolean {
  const bytes = Buffer.from(`x${name}`, 'latin1');
  return hasName(names, bytes, 1, bytes.length);
}

t.test('names are found whole and in any case', async (t) => {
  const names = ['authorization', 'cookie', 'cookie', 'x-pin'].reduce(withName, '');
  t.equal(names, ',authorization,cookie,x-pin,');
  for (const name of ['Cookie', 'authorization', 'X-PIN']) t.ok(has(names, name), name);
  for (const name of ['', 'pin', 'x-pi', 'cookies']) t.notOk(has(names, name), name);
  t.notOk(has('', 'cookie'));
});

t.test('where there are too many, every field counts as named', async (t) => {
  const many = Array.from({ length: 256 }, (_, i) => `x-${i}`).reduce(withName, '');
  const long = withName('', 'a'.repeat(10_000));
  for (const names of [many, long]) {
    t.ok(names.length < 300);
    t.ok(has(names, 'anything'));
    t.equal(withName(names, 'b'), names);
  }
});
