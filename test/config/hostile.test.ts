// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how a configuration refers to the
// environment.
import fc from 'fast-check';
import { loadConfig } from '../../config/load.js';
import { limits } from '../../core/limits.js';
import t from '../support/tap.js';
import { minimal, mirrored, told } from './told.js';

/**
 * Size of each flood: far above what makes a quadratic step or a deep recursion show, and below what makes
 * the test slow.
 */
const floodBytes = limits.configBytes / 16;

/** Each is a file full of one thing. They must end, with a problem; the time is that of the test's limit. */
const floods: Record<string, string> = {
  'open lists': '['.repeat(floodBytes),
  'nested lists': '['.repeat(floodBytes / 2) + ']'.repeat(floodBytes / 2),
  'open mappings': '{a: '.repeat(floodBytes / 4),
  'nested block lists': '- '.repeat(floodBytes / 2),
  'nested keys': '? '.repeat(floodBytes / 2),
  'nested block mappings': Array.from({ length: 1400 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
  'repeated keys': 'a:\n'.repeat(floodBytes / 4),
  'different keys': Array.from({ length: floodBytes / 16 }, (_, index) => `k${index}:`).join('\n'),
  'list items': '-\n'.repeat(floodBytes / 2),
  aliases: `a: &a 1\nb: [${'*a,'.repeat(floodBytes / 4)}]`,
  anchors: '&a '.repeat(floodBytes / 4),
  tags: '! '.repeat(floodBytes / 2),
  documents: '---\n'.repeat(floodBytes / 4),
  directives: '%a\n'.repeat(floodBytes / 4),
  comments: '#\n'.repeat(floodBytes / 2),
  quotes: '"'.repeat(floodBytes),
  'brackets that close nothing': ']'.repeat(floodBytes),
  'bad escapes': `"${'\\q'.repeat(floodBytes / 2 - 1)}"`,
  'zero bytes': '\0'.repeat(floodBytes),
  'references to the environment': `a: ${'${'.repeat(floodBytes / 4)}`,
};

t.test('a file full of one thing is refused, and ends no process', async (t) => {
  for (const [name, text] of Object.entries(floods)) {
    const problems = told(text);
    t.ok(problems.length > 0 && problems.length <= 101, `${name}: ${problems[0]?.slice(0, 100)}`);
  }
});

t.test('too large, too deep and too many are said as such', async (t) => {
  t.same(told(' '.repeat(limits.configBytes + 1)), ['1:1: is larger than 1048576 bytes']);
  t.match(told(minimal(`a: ${'['.repeat(70)}${']'.repeat(70)}\n`)), [
    /^1:\d+: is nested more than 64 levels deep$/,
  ]);
  const bomb = `a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n${Array.from({ length: 9 }, (_, level) => {
    return `a${level + 1}: &a${level + 1} [${`*a${level},`.repeat(10)}]\n`;
  }).join('')}`;
  t.match(told(bomb), [/^\d+:\d+: holds more than 200000 values, aliases expanded$/]);
  t.ok(told('a: &a [ *a ]\n').includes('1:9: alias `*a`: `&a` contains itself'));
  t.ok(told('a: &a { b: { c: *a } }\n').includes('1:17: alias `*a`: `&a` contains itself'));
});

t.test('names that objects inherit are only names', async (t) => {
  for (const name of ['constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf']) {
    t.same(told(`versions: { ${name}: "http://a:1" }\nroutes: [ { primary: ${name} } ]\n`), [], name);
    t.match(told(minimal(`${name}: 1\n`))[0], `1:1: unknown key \`${name}\``);
  }
  t.same(
    told('versions: { v: { __proto__: { endpoints: [] } } }\nroutes: [ { primary: v } ]\n')[0],
    '1:16: versions.v: `endpoints` is missing',
  );
  t.equal(({} as Record<string, unknown>).endpoints, undefined);
});

t.test('loading never throws', async () => {
  const piece = fc.constantFrom(
    ...[
      'versions',
      'routes',
      'v1',
      'listen',
      'admin',
      ': ',
      ':',
      '\n',
      '  ',
      '- ',
      '[',
      ']',
      '{',
      '}',
      ', ',
      '"',
      "'",
      '&a ',
      '*a',
      '! ',
      '|',
      '>',
      '# ',
      '${A}',
      '${',
      '1',
      'off',
      'null',
      '---',
      '? ',
      '\t',
      '%',
      '<<',
      '__proto__',
      '\u2028',
      '\ud800',
    ],
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join('')),
  );
  fc.assert(
    fc.property(text, text, (config, value) => {
      const result = loadConfig(config, 'f', { set: [`routes[0].x=${value}`], env: { A: value } });
      return result.ok || result.problems.length > 0;
    }),
    { numRuns: 500 },
  );
});

t.test('any value in any place is understood or refused', async () => {
  const keys = fc.constantFrom(
    'listen',
    'admin',
    'threads',
    'drain',
    'sampling',
    'versions',
    'routes',
    'accessLog',
    'histograms',
    'log',
    'tracing',
    'redact',
  );
  fc.assert(
    fc.property(keys, fc.jsonValue({ maxDepth: 4 }), (key, value) => {
      const base = { versions: { v1: 'http://a:1' }, routes: [{ primary: 'v1' }] };
      const result = loadConfig(JSON.stringify({ ...base, [key]: value }), 'f');
      return result.ok || result.problems.every((problem) => problem.line >= 1 && problem.column >= 1);
    }),
    { numRuns: 500 },
  );
});

t.test('a secret header value is in no message', async (t) => {
  const problems = told(
    mirrored('headers: { set: { authorization: "s3cret\\u0007" }, add: { cookie: [s3cret] } }'),
  );
  t.equal(problems.length, 2);
  t.notMatch(problems.join('\n'), /s3cret/);
});
