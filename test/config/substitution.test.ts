import fc from 'fast-check';
import { formatSubstitution, parseSubstitution } from '../../config/substitution.js';
import { Refusal } from '../../config/units.js';
import t from '../support/tap.js';

t.test('groups are written as nginx or as Envoy writes them', async (t) => {
  t.equal(parseSubstitution('/a/$1', '/(.)'), '/a/$01');
  t.equal(parseSubstitution('/a/\\1', '/(.)'), '/a/$01');
  t.equal(
    '/x'.replace(/^\/(.)$/, parseSubstitution('/$12', '/(.)') as string),
    '/x2',
    'a digit behind a group is text',
  );
});

t.test('a dollar and a backslash are written twice', async (t) => {
  const parsed = parseSubstitution('/$$1\\\\1', '/(.)') as string;
  t.equal('/x'.replace(/^\/(.)$/, parsed), '/$1\\1');
});

t.test('a group that the expression does not have, or none at all, is refused with a reason', async (t) => {
  const reason = (text: string, pattern = '/(.)'): string => {
    const parsed = parseSubstitution(text, pattern);
    return parsed instanceof Refusal ? parsed.reason : 'parsed';
  };
  t.equal(reason('/$2'), 'names group 2, and the regular expression has 1 group');
  t.equal(reason('/\\1', '/.'), 'names group 1, and the regular expression has 0 groups');
  t.match(reason('/$'), /has a \$ without a group/);
  t.match(reason('/$&'), /has a \$ without a group/);
  t.match(reason('/$0'), /has a \$ without a group/);
  t.match(reason('/\\x'), /has a \\ without a group/);
});

t.test('what was parsed is written so that it parses to the same', async () => {
  const text = fc.string({ unit: fc.constantFrom('$1', '\\2', '$$', '\\\\', '/', 'a', '1') });
  fc.assert(
    fc.property(text, (written) => {
      const parsed = parseSubstitution(written, '(.)(.)') as string;
      return parseSubstitution(formatSubstitution(parsed), '(.)(.)') === parsed;
    }),
  );
});
