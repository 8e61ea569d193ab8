import { isCopy, marked } from '../../../core/mirror/loop-mark.js';
import t from '../../support/tap.js';

t.test('a request with the mark is a copy, whatever the case of its name and its value', async (t) => {
  for (const line of ['x-umbra-mirror: 1', 'X-Umbra-Mirror: release-7', 'X-UMBRA-MIRROR:'])
    t.ok(isCopy(`accept: */*\r\n${line}\r\n`), line);
  for (const line of ['x-umbra-mirror-2: 1', 'accept: x-umbra-mirror: 1'])
    t.notOk(isCopy(`${line}\r\n`), line);
});

t.test('a copy is marked once, and a value that was set stands', async (t) => {
  t.equal(marked('a: b\r\n'), 'a: b\r\nx-umbra-mirror: 1\r\n');
  t.equal(marked('x-umbra-mirror: release-7\r\n'), 'x-umbra-mirror: release-7\r\n');
  t.ok(isCopy(marked('')));
});
