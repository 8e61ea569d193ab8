import fc from 'fast-check';
import { parseRegex, RegexError } from '../../../core/regex/parse.js';
import { compileRegex } from '../../../core/regex/program.js';
import { Replacer } from '../../../core/regex/replacer.js';
import { replacer, wholePattern } from '../../../core/route/pattern.js';
import t from '../../support/tap.js';

/** The bytes of `text`, one in each code, as heads have them. */
function bytes(text: string): string {
  return Buffer.from(text).toString('latin1');
}

function matches(source: string, text: string): boolean {
  return wholePattern(source).test(bytes(text));
}

t.test('an expression means what RE2 says', async (t) => {
  const cases: [source: string, matching: string[], others: string[]][] = [
    ['/[[:digit:]]+', ['/1', '/23'], ['/d]', '/:', '/a']],
    ['/[[:^alpha:]]', ['/1'], ['/a']],
    ['\\A/a\\z', ['/a'], ['A/az', '/a\n']],
    ['\\Q.*[\\E+', ['.*[', '.*[['], ['a']],
    ['\\Qa.b', ['a.b'], ['axb']],
    ['/\\x{41}\\x42\\103', ['/ABC'], ['/x{41}']],
    ['(?i)/re(?-i)VIEWS', ['/REVIEWS', '/reVIEWS'], ['/reviews']],
    ['(?i:k)', ['k', 'K'], ['l', '\u212a']],
    ['(?i:\u212a)', ['\u212a'], ['k', 'K']],
    ['(?i:[r-t])', ['s', 'S'], ['\u017f']],
    ['(?i:\u017f)', ['\u017f'], ['s', 'S']],
    ['(?i:ä)', ['ä', 'Ä'], ['a']],
    ['(?i:[^k])', ['\u212a'], ['k', 'K']],
    ['a(?i)b|c', ['aB', 'C'], ['AB']],
    ['(?P<name>a)(?<other>b)', ['ab'], ['a']],
    ['/a.c', ['/abc', '/aäc', '/a𝒳c'], ['/a\nc', '/abbc']],
    ['(?s)a.c', ['a\nc'], []],
    ['[^/]+', ['ä€', '\n'], ['a/b']],
    ['[ä-ü]', ['ä', 'ö'], ['a', 'ÿ']],
    ['[^ä]', ['ö', 'a', '€'], ['ä']],
    ['\\bfoo\\b', ['foo'], ['foo ']],
    ['foo\\b.bar', ['foo bar'], ['foo_bar']],
    ['foo\\B.', ['foox'], ['foo ']],
    ['(?m)a$\n^b', ['a\nb'], []],
    ['a$b', [], ['ab']],
    ['\\s', [' ', '\t'], ['\v', '\u00a0']],
    ['[\\d\\-]+', ['1-2'], ['a']],
    ['[]a]+', [']a'], ['b']],
    ['a{', ['a{'], ['a']],
    ['a{,2}', ['a{,2}'], ['aa']],
    ['a{2,3}', ['aa', 'aaa'], ['a', 'aaaa']],
    ['(?:)', [''], ['a']],
    ['a||b', ['', 'a', 'b'], ['ab']],
    ['^/service/([^/]+)(/.*)$', ['/service/a/b'], ['/service/a']],
    ['^(.*?;)?(user=jason)(;.*)?$', ['user=jason', 'a=b;user=jason;c'], ['user=jasons']],
    ['/([^/]+)/([^/]+)', ['/a/b'], ['/a/b/c']],
    ['(a+)+|(a|ab)*|.*a.*b', ['aaa', 'abab', 'xaxb'], ['c']],
    ['\\t\\n\\.\\/', ['\t\n./'], []],
  ];
  for (const [source, matching, others] of cases) {
    for (const text of matching) t.ok(matches(source, text), `${source} matches ${JSON.stringify(text)}`);
    for (const text of others) t.notOk(matches(source, text), `${source} leaves ${JSON.stringify(text)}`);
  }
});

t.test('what RE2 refuses, or umbra does not support, is refused by name', async (t) => {
  const cases: Record<string, RegExp> = {
    '/\\pL+': /Unicode class \\p/,
    '\\p{L}': /Unicode class \\p/,
    '\\PN': /Unicode class \\P/,
    '\\C': /\\C/,
    '\\Z': /has \\Z, which RE2 does not know/,
    '\\u0041': /has \\u/,
    '(a)\\1': /no references back/,
    '(?=a)': /neither ahead nor back/,
    '(?!a)': /neither ahead nor back/,
    '(?<=a)b': /neither ahead nor back|bad name/,
    '(?<!a)b': /neither ahead nor back|bad name/,
    '(?P<n>a)(?P<n>b)': /two groups named n/,
    '(?P<1-2>a)': /bad name/,
    '(': /without its \)/,
    ')': /without its \(/,
    '[a': /without its \]/,
    '[z-a]': /bad range/,
    '[a-\\d]': /bad range/,
    '[[:nope:]]': /unknown class \[:nope:\]/,
    '*a': /nothing that \* could repeat/,
    'a|*': /nothing that \* could repeat/,
    'a**': /repetition of a repetition/,
    'a{2}{3}': /repetition of a repetition/,
    'a{1001}': /more than 1000/,
    '((a{100}){100}){2}': /more than 1000 times in all/,
    'a{3,2}': /ends before it begins/,
    '\\': /ends with a/,
    '\\x4': /hexadecimal/,
    '\\x{110000}': /hexadecimal/,
    '(?:.{50}.{50}){10}': /too large/,
    [`${'('.repeat(70)}${')'.repeat(70)}`]: /more than 64 deep/,
  };
  for (const [source, reason] of Object.entries(cases)) {
    const refused = (): unknown => compileRegex(parseRegex(source));
    try {
      refused();
    } catch (error) {
      t.ok(error instanceof RegexError, source);
    }
    t.throws(refused, { message: reason }, source);
  }
});

/**
 * Expressions that JavaScript reads as RE2 does: no repetition of what may be empty, no groups that repeat.
 */
const atom = fc.constantFrom(
  'a',
  'b',
  'ab',
  '[ab]',
  '[^a]',
  '\\d',
  '\\w',
  '.',
  '/',
  '(?:a|bc)',
  '(?:ab|a)',
  '\\.',
);
const repeated = fc
  .tuple(atom, fc.constantFrom('', '', '*', '+', '?', '{2}', '{1,3}', '*?', '+?', '??', '{2,}'))
  .map(([part, sign]) => (sign === '' ? part : `(?:${part})${sign}`));
const sequence = fc.array(repeated, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(''));
const expression = fc.array(sequence, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('|'));
const subject = fc
  .array(fc.constantFrom('a', 'b', 'c', '/', '1', '.', ' ', '\n'), { maxLength: 12 })
  .map((parts) => parts.join(''));

t.test('on what JavaScript reads alike, whole texts match as with RegExp', async () => {
  fc.assert(
    fc.property(expression, fc.array(subject, { minLength: 8, maxLength: 8 }), (source, texts) => {
      const pattern = wholePattern(source);
      return texts.every((text) => pattern.test(text) === new RegExp(`^(?:${source})$`).test(text));
    }),
    { numRuns: 300 },
  );
});

t.test('on what JavaScript reads alike, replacing finds the same matches and groups', async () => {
  fc.assert(
    fc.property(sequence, sequence, expression, subject, (first, second, other, text) => {
      const source = `(${first})(${second})|${other}`;
      return replacer(source, '<$01,$02>', false).replace(text) === replacedAsRe2(source, text);
    }),
    { numRuns: 500 },
  );
});

/** RE2's GlobalReplace, with the matches of RegExp. */
function replacedAsRe2(source: string, text: string): string {
  const pattern = new RegExp(source, 'g');
  let out = '';
  let lastEnd = -1;
  for (let from = 0; from <= text.length; ) {
    pattern.lastIndex = from;
    const found = pattern.exec(text);
    if (found === null) return out + text.slice(from);
    out += text.slice(from, found.index);
    const end = found.index + found[0].length;
    if (found[0] === '' && found.index === lastEnd) {
      out += text.slice(found.index, found.index + 1);
      from = found.index + 1;
      continue;
    }
    out += `<${found[1] ?? ''},${found[2] ?? ''}>`;
    from = end;
    lastEnd = end;
  }
  return out;
}

t.test('a replacement has groups, dollars and text, and a whole one leaves other texts', async (t) => {
  t.equal(replacer('^/v[0-9]+/(.*)', '/$01', false).replace('/v2/a/b'), '/a/b');
  t.equal(replacer('/(a)|/(b)', '/[$01$02$$]', false).replace('/a/b/c'), '/[a$]/[b$]/c');
  t.equal(replacer('x*', '-', false).replace('abc'), '-a-b-c-');
  t.equal(replacer('a*', '-', false).replace('baac'), '-b-c-');
  t.equal(replacer('/a/(.*)', '/$01', true).replace('/a/b'), '/b');
  t.equal(replacer('/a/(.)', '/$01', true).replace('/a/bc'), '/a/bc');
});

t.test('texts that a backtracking engine stalls on take one pass', async (t) => {
  const worst = `${'a'.repeat(64 * 1024)}!`;
  for (const source of ['(a+)+', '(a|aa)+b', '(?:a?){20}a{20}', '.*.*.*.*x', '(.*a){10}b', '(?:a.{12})*b']) {
    const pattern = wholePattern(source);
    t.notOk(pattern.test(worst), source);
    t.type(replacer(source, '', true).replace(worst.slice(0, 8 * 1024)), 'string');
  }
  const all = new Replacer(compileRegex(parseRegex('a.*z|a')), [''], false);
  t.equal(all.replace('a'.repeat(16 * 1024)), '', 'each position is tried once for each instruction');
});

t.test('an expression with more states than are kept is matched all the same', async (t) => {
  const source = '(?:[ab]*a[ab]{12}c)*';
  const pattern = wholePattern(source);
  const text = Array.from({ length: 4000 }, (_, at) => ((at * at * 7919) % 31 < 15 ? 'a' : 'b')).join('');
  t.equal(pattern.test(`${text}a${'b'.repeat(12)}c`), true);
  t.equal(
    pattern.test(`${text}b${'b'.repeat(12)}c`),
    new RegExp(`^(?:${source})$`).test(`${text}b${'b'.repeat(12)}c`),
  );
});
