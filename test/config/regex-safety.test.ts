import t from 'tap';
import { parseRegex } from '../../config/regex-safety.js';
import { Refusal } from '../../config/units.js';

const accepted = [
  '^/reviews',
  '^/reviews/[0-9]+$',
  '^/a/[^/]+/b/[^/]+/c/[^/]+$',
  '^/api/.*$',
  '^/api/.*',
  '\\.(png|jpe?g|gif)$',
  '^/(?:en|de|fr)/items?$',
  '^/v[0-9]{1,3}/',
  '^/(?!internal/)',
  '^[0-9a-f]{8}-[0-9a-f]{4}$',
  '/api/.*',
  '.*foo.*',
  '.*x',
  '[0-9]+x',
  '^a|.*x',
  '.*\\.php',
  '^(?:foo|bar)+$',
  '^\\d+\\.\\d+\\.\\d+$',
  'a{',
  '[]]'.slice(0, 2),
  '',
];

const refused: Record<string, RegExp> = {
  '(a+)+': /nested/,
  '^(a*)*$': /nested/,
  '^(a|a)*$': /nested/,
  '^(a|ab)+$': /nested/,
  '^([a-z]+,)*$': /nested/,
  '^((a?){3}){30}$': /nested/,
  '^(a?){30}b$': /nested/,
  '^(?:.*,){11}P': /nested/,
  '^.*.*x': /several/,
  '^[a-z]+[a-z0-9]+x': /several/,
  '^.*a.*b': /several/,
  '^.*[0-9]+x': /several/,
  '.*[0-9]+': /several/,
  '.*[0-9]+$': /several/,
  '.*foo.*bar': /several/,
  '.*a|.*b': /several/,
  '^(?=.*a)(?=.*b)': /several/,
  'a?a?a?a?a?a?a?a?a?aaaaaaaaa': /too many/,
  '^(a|ab)(a|ab)(a|ab)(a|ab)(a|ab)(a|ab)(a|ab)(a|ab)(a|ab)$': /too many/,
  '^a{2000}': /more than 1000/,
  '^a{1,2000}b': /more than 1000/,
  '^(a)\\1': /refers back/,
  '^(?<n>a)\\k<n>': /refers back/,
  '(': /is not a regular expression: Unterminated group/,
  '[z-a]': /is not a regular expression/,
  '*': /Nothing to repeat/,
};

t.test('patterns that match in linear time are accepted', async (t) => {
  for (const pattern of accepted) t.equal(parseRegex(pattern), pattern, pattern);
});

t.test('patterns that a client could make slow, or that are none, are refused with the reason', async (t) => {
  for (const [pattern, reason] of Object.entries(refused)) {
    const parsed = parseRegex(pattern);
    if (parsed instanceof Refusal) t.match(parsed.reason, reason, pattern);
    else t.fail(`${pattern} was accepted`);
  }
  t.ok(parseRegex('a'.repeat(1025)) instanceof Refusal);
  t.ok(parseRegex('('.repeat(40) + ')'.repeat(40)) instanceof Refusal);
});
