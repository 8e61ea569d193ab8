import { withoutFields } from '../../../core/http/field-edits.js';
import { hasUnderscores, withoutDisguises, withoutUnderscores } from '../../../core/http/underscores.js';
import t from '../../support/tap.js';

const fields = 'A: b_c\r\nX_Forwarded_For: 1\r\nx-Forwarded_proto: 2\r\nmy_own: 3\r\nX-Forwarded-For: 4\r\n';

t.test('fields with underscores in their names go, and underscores in values do not matter', async (t) => {
  t.equal(withoutUnderscores(fields), 'A: b_c\r\nX-Forwarded-For: 4\r\n');
  t.strictSame([hasUnderscores(fields), hasUnderscores('a: b_c\r\n')], [true, false]);
});

t.test('what passes for a field of umbra goes where others may pass', async (t) => {
  t.equal(withoutDisguises(fields), 'A: b_c\r\nmy_own: 3\r\nX-Forwarded-For: 4\r\n');
});

t.test('a field that an edit removes goes in its disguise too', async (t) => {
  t.equal(withoutFields(fields, ['x-forwarded-for', 'my-own']), 'A: b_c\r\nx-Forwarded_proto: 2\r\n');
  t.equal(
    withoutFields('x-a: 1\r\nx_a: 2\r\n', ['x_a']),
    'x-a: 1\r\n',
    'an underscore stands for a dash alone',
  );
});
