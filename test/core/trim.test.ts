import { withoutBlanks, withoutLeading, withoutTrailing } from '../../core/trim.js';
import t from '../support/tap.js';

t.test('blanks are spaces and tabs at both ends, and nothing else', async (t) => {
  t.equal(withoutBlanks(' \t a b\t '), 'a b');
  t.equal(withoutBlanks(' \t '), '');
  t.equal(withoutBlanks('\xa0a\n'), '\xa0a\n');
});

t.test('runs of one character go from one end', async (t) => {
  t.strictSame([withoutLeading('0010', '0'), withoutLeading('000', '0')], ['10', '']);
  t.strictSame([withoutTrailing('a//b//', '/'), withoutTrailing('', '/')], ['a//b', '']);
});
