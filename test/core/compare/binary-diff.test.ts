import { diffBinary } from '../../../core/compare/binary-diff.js';
import type { Difference } from '../../../core/compare/difference.js';
import t from '../../support/tap.js';

function diff(primary: Uint8Array, shadow: Uint8Array): Difference[] {
  const found: Difference[] = [];
  diffBinary(primary, shadow, (difference) => found.push(difference));
  return found;
}

t.test('bytes have windows as their places', async (t) => {
  const [a, b] = [Buffer.alloc(4096, 1), Buffer.alloc(4096, 1)];
  b[5] = 2;
  b[1000] = 3;
  t.match(diff(a, b), [
    { path: 'bytes 0-127', change: 'value', at: 'byte 5', shadow: '0201010101010101' },
    { path: 'bytes 896-1023', change: 'value', at: 'byte 1000' },
  ]);
});

t.test('another length is a difference of its own', async (t) => {
  t.match(diff(Buffer.from([1, 2]), Buffer.from([1, 2, 3])), [{ change: 'length', primary: 2, shadow: 3 }]);
  t.match(diff(Buffer.from([1, 2]), Buffer.from([1, 4, 3])), [
    { change: 'length' },
    { change: 'value', at: 'byte 1' },
  ]);
});
