import fc from 'fast-check';
import t from 'tap';
import { FieldLines } from '../../../core/http/field-lines.js';
import { fieldValue } from '../../../core/http/fields.js';
import { Span } from '../../../core/http/span.js';

const name = fc.string({ unit: fc.constantFrom('a', 'b', 'B'), minLength: 1, maxLength: 2 });
const value = fc.string({ unit: fc.constantFrom('a', ':', ' ', '\t', '\xa0'), maxLength: 4 });
const line = fc.tuple(name, value, fc.constantFrom('\r\n', '\n')).map(([n, v, end]) => `${n}:${v}${end}`);

t.test('it finds what a look for one name finds, also behind the lines that are kept', async (t) => {
  const lines = new FieldLines();
  const span = new Span();
  let found = 0;
  const fields = fc.oneof(
    fc.array(line, { maxLength: 5 }),
    fc.array(line, { maxLength: 5 }).map((last) => [...Array<string>(64).fill('c: d\r\n'), ...last]),
  );
  fc.assert(
    fc.property(fields, name, (all, wanted) => {
      const text = all.join('');
      lines.read(text);
      const expected = fieldValue(text, wanted.toLowerCase());
      if (expected !== null) found++;
      return (lines.find(wanted.toLowerCase(), span) ? span.toString() : null) === expected;
    }),
    { numRuns: 2000 },
  );
  t.ok(found > 100);
});

t.test('what was read before is forgotten', async (t) => {
  const lines = new FieldLines();
  const span = new Span();
  lines.read('a: 1\r\nb: 2\r\n');
  lines.read('c: 3\r\n');
  t.notOk(lines.find('a', span));
  t.notOk(lines.find('b', span));
  t.ok(lines.find('c', span));
  t.equal(span.toString(), '3');
});
