import fc from 'fast-check';
import { fieldValue } from '../../../core/http/fields.js';
import t from '../../support/tap.js';

const fields = [
  'Host-Like: a',
  'X-User: one',
  'x-user: two',
  'X-USER-ID: three',
  'user: four',
  'Padded: \t  spaced out \t ',
  'Empty:',
  'Blank:   \t',
  'Colons: a:b: c',
  'Bytes: \xa0\xe9\xa0',
  'In-Value: x-hidden: no',
  'last: end',
]
  .map((line) => `${line}\r\n`)
  .join('');

t.test('the first field of a name is found, in any case', async (t) => {
  t.equal(fieldValue(fields, 'x-user'), 'one');
  t.equal(fieldValue(fields, 'x-user-id'), 'three');
  t.equal(fieldValue(fields, 'host-like'), 'a');
  t.equal(fieldValue(fields, 'last'), 'end');
});

t.test('a name that is only part of another, or only in a value, is not found', async (t) => {
  for (const name of ['x', 'x-use', 'x-user-', 'user-id', '-user', 'x-hidden', 'one', 'missing']) {
    t.equal(fieldValue(fields, name), null, name);
  }
  t.equal(fieldValue(fields, 'user'), 'four', 'and a name that ends another one is its own');
});

t.test('spaces and tabs around a value are not part of it, other bytes are', async (t) => {
  t.equal(fieldValue(fields, 'padded'), 'spaced out');
  t.equal(fieldValue(fields, 'bytes'), '\xa0\xe9\xa0');
  t.equal(fieldValue(fields, 'colons'), 'a:b: c');
});

t.test('an empty value is a value', async (t) => {
  t.equal(fieldValue(fields, 'empty'), '');
  t.equal(fieldValue(fields, 'blank'), '');
});

t.test('no fields, or a last line without its end, are no trouble', async (t) => {
  t.equal(fieldValue('', 'a'), null);
  t.equal(fieldValue('a', 'a'), null);
  t.equal(fieldValue('a:', 'a'), '');
  t.equal(fieldValue('a: b', 'a'), 'b');
  t.equal(fieldValue('b: 1\r\na: 2', 'a'), '2');
  t.equal(fieldValue('\r\n\r\na: 1\r\n', 'a'), '1');
});

t.test('only letters are compared without case', async (t) => {
  // `@` and backquote, `^` and `~` differ in the bit that makes a letter lower case.
  t.equal(fieldValue('x@y: 1\r\nx`y: 2\r\n', 'x`y'), '2');
  t.equal(fieldValue('a^b: 1\r\na~b: 2\r\n', 'a~b'), '2');
  t.equal(fieldValue('a^b: 1\r\na~b: 2\r\n', 'a^b'), '1');
});

t.test('it finds what splitting into lines finds', async (t) => {
  const name = fc.string({ unit: fc.constantFrom('a', 'B', '-', 'x', 'X'), minLength: 1, maxLength: 4 });
  const value = fc.string({ unit: fc.constantFrom('a', ':', ' ', '\t', 'x', '\xff', ','), maxLength: 6 });
  let found = 0;
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 8 }), name, (lines, asked) => {
      const text = lines.map(([n, v]) => `${n}:${v}\r\n`).join('');
      const line = lines.find(([n]) => n.toLowerCase() === asked.toLowerCase());
      const expected = line === undefined ? null : line[1].replace(/^[ \t]+|[ \t]+$/g, '');
      if (expected !== null) found++;
      return fieldValue(text, asked.toLowerCase()) === expected;
    }),
    { numRuns: 2000 },
  );
  t.ok(found > 50, `found ${found} times`);
});
