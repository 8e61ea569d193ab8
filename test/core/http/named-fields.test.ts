import fc from 'fast-check';
import { fieldValue, trimmedSlice } from '../../../core/http/fields.js';
import { type NamedField, NamedFields } from '../../../core/http/named-fields.js';
import t from '../../support/tap.js';

const name = fc.string({ unit: fc.constantFrom('a', 'b', 'B', '-', '^'), minLength: 1, maxLength: 2 });
const value = fc.string({ unit: fc.constantFrom('a', ':', ' ', '\t', '\xa0'), maxLength: 4 });
const line = fc.tuple(name, value, fc.constantFrom('\r\n', '\n')).map(([n, v, end]) => `${n}:${v}${end}`);
const fields = fc.array(line, { maxLength: 8 }).map((lines) => lines.join(''));

function valueIn(reader: NamedFields, field: NamedField): string | null {
  const { text, from, to } = field.span;
  return reader.has(field) ? trimmedSlice(text, from, to) : null;
}

t.test('one pass finds for each name what a look for it alone finds, request after request', async (t) => {
  let found = 0;
  fc.assert(
    fc.property(
      fc.array(name, { minLength: 1, maxLength: 5 }),
      fc.array(fields, { minLength: 1, maxLength: 4 }),
      (wanted, requests) => {
        const reader = new NamedFields();
        const all = wanted.map((one) => reader.add(one.toLowerCase()));
        return requests.every((text) => {
          reader.read(text);
          return all.every((field) => {
            const expected = fieldValue(text, field.name);
            if (expected !== null) found++;
            return valueIn(reader, field) === expected;
          });
        });
      },
    ),
    { numRuns: 2000 },
  );
  t.ok(found > 1000, `${found} were there`);
});

t.test('a name is known once, however often it is added', async (t) => {
  const reader = new NamedFields();
  const field = reader.add('x-a');
  t.not(reader.add('x-b'), field);
  t.equal(reader.add('x-a'), field);
});

t.test('what was read before is forgotten', async (t) => {
  const reader = new NamedFields();
  const [a, b, c] = ['a', 'b', 'c'].map((one) => reader.add(one));
  reader.read('a: 1\r\nb: 2\r\n');
  t.equal(valueIn(reader, b!), '2');
  reader.read('c: 3\r\n');
  t.equal(valueIn(reader, a!), null);
  t.equal(valueIn(reader, b!), null);
  t.equal(valueIn(reader, c!), '3');
});

t.test('nothing is found before anything was read', async (t) => {
  const reader = new NamedFields();
  t.equal(valueIn(reader, reader.add('a')), null);
});

t.test('a line without a colon, or a name that is cut off, is none', async (t) => {
  const reader = new NamedFields();
  const field = reader.add('abc');
  for (const text of ['a', 'abc', 'abc\r\n', 'ab\r\nc: 1\r\n', '\xe9bc: 1\r\n']) {
    reader.read(text);
    t.equal(valueIn(reader, field), null, text);
  }
});
