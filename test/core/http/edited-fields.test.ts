import fc from 'fast-check';
import { FieldEdits } from '../../../core/http/edited-fields.js';
import { applyEdits } from '../../../core/http/field-edits.js';
import { FormatSource } from '../../../core/http/format-source.js';
import type { HeaderEdits } from '../../../core/plan.js';
import t from '../../support/tap.js';

const edits = (changes: Partial<HeaderEdits>): HeaderEdits => ({ remove: [], set: [], add: [], ...changes });

t.test('what changes nothing is not there', async (t) => {
  t.equal(FieldEdits.of(null, 'request'), null);
  t.equal(FieldEdits.of(edits({}), 'request'), null);
});

t.test('constant values come to the same as plain edits', async () => {
  const name = fc.constantFrom('a', 'b', 'c-d');
  const pairs = fc.array(fc.tuple(name, fc.constantFrom('', '1', 'x: y')), { maxLength: 3 });
  fc.assert(
    fc.property(pairs, fc.array(name), pairs, pairs, (fields, remove, set, add) => {
      const text = fields.map(([field, value]) => `${field}: ${value}\r\n`).join('');
      const one = { remove, set, add };
      return new FieldEdits(one, 'request').apply(text, null) === applyEdits(text, one);
    }),
  );
});

t.test('commands see what is left after removing, and each other not', async (t) => {
  const source = new FormatSource();
  const change = FieldEdits.of(
    edits({
      remove: ['x-gone'],
      set: [
        ['x-a', '%REQ(x-b)%'],
        ['x-b', '%REQ(x-a)%'],
        ['x-c', '%REQ(x-gone)%'],
      ],
      add: [
        ['x-c', 'const'],
        ['x-d', '%REQ(x-gone)%'],
      ],
    }),
    'request',
  )!;
  t.ok(change.hasCommands);
  t.equal(
    change.apply('x-a: 1\r\nX-Gone: 0\r\nx-b: 2\r\nx-c: old\r\n', source),
    'x-c: old\r\nx-a: 2\r\nx-b: 1\r\nx-c: const\r\n',
    'a value that comes to nothing leaves its field as it is',
  );
});
