import fc from 'fast-check';
import { applyEdits, withoutFields } from '../../../core/http/field-edits.js';
import t from '../../support/tap.js';

const fields = 'Accept: */*\r\nAuthorization: secret\r\nx-a: 1\r\nX-A: 2\r\n';

t.test('removed fields go in every case and repeat, the others keep order and bytes', async (t) => {
  t.equal(withoutFields(fields, ['x-a']), 'Accept: */*\r\nAuthorization: secret\r\n');
  t.equal(withoutFields(fields, ['authorization', 'accept']), 'x-a: 1\r\nX-A: 2\r\n');
  t.equal(withoutFields(fields, ['x']), fields);
  t.equal(withoutFields('', ['x']), '');
});

t.test('set replaces every field of its name by one, add leaves what is there', async (t) => {
  t.equal(
    applyEdits(fields, { remove: ['authorization'], set: [['x-a', '9']], add: [['accept', 'text/html']] }),
    'Accept: */*\r\nx-a: 9\r\naccept: text/html\r\n',
  );
});

t.test('removing is the same as filtering the lines', async () => {
  const name = fc.constantFrom('a', 'B', 'ab', 'Ab', 'c-d');
  const value = fc.constantFrom('', '1', 'x: y', 'b:');
  fc.assert(
    fc.property(
      fc.array(fc.tuple(name, value)),
      fc.array(name.map((word) => word.toLowerCase())),
      (lines, gone) => {
        const kept = lines.filter(([lineName]) => !gone.includes(lineName.toLowerCase()));
        const block = (of: [string, string][]): string => of.map(([n, v]) => `${n}: ${v}\r\n`).join('');
        return withoutFields(block(lines), gone) === block(kept);
      },
    ),
  );
});
