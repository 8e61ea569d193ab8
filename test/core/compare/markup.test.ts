import fc from 'fast-check';
import { exact } from '../../../core/compare/decimal.js';
import type { Difference } from '../../../core/compare/difference.js';
import { diffJson } from '../../../core/compare/json-diff.js';
import { markupForm, parseMarkup } from '../../../core/compare/markup.js';
import { PathRules } from '../../../core/compare/path-rules.js';
import { Redaction, redactNothingMore } from '../../../core/redact.js';
import t from '../../support/tap.js';

const rules = {
  paths: new PathRules([]),
  tolerance: exact,
  arrays: 'ordered' as const,
  redaction: new Redaction(redactNothingMore),
};

function diff(primary: string, shadow: string, isHtml = true): Difference[] {
  const found: Difference[] = [];
  const [a, b] = [parseMarkup(primary, isHtml), parseMarkup(shadow, isHtml)];
  diffJson(a, b, rules, (difference) => found.push(difference), markupForm);
  return found;
}

const page = (nonce: string, price: string, more = '') =>
  `<!doctype html><html><head><title>T</title><script nonce="${nonce}">a < b</script></head>` +
  `<body><p class=lead>Price: <span class="price">${price}</span><br></p><ul><li>one<li>two${more}</ul></body></html>`;

t.test('a difference is named by its element and attribute', async (t) => {
  t.match(diff(page('n1', '5'), page('n2', '5')), [
    { kind: 'markup', path: '/html/head/script/@nonce', change: 'value', primary: 'n1', shadow: 'n2' },
  ]);
  t.match(diff(page('n', '5'), page('n', '6')), [
    { path: '/html/body/p.lead/span.price/text()', primary: '5', shadow: '6' },
  ]);
  t.match(diff(page('n', '5'), page('n', '5', '<li>three')), [{ path: '/html/body/ul', change: 'extra' }]);
});

t.test('how markup is written does not count', async (t) => {
  t.strictSame(
    diff('<P ID=a  Class="x">Hi\n there</P>', '<p class=\'x\' id="a"> Hi there </p><!-- c -->'),
    [],
  );
  t.strictSame(diff('<a><b x="1"/></a>', '<a><b x="1"></b></a>', false), []);
  t.notSame(diff('<A/>', '<a/>', false), [], 'names of XML have case');
  t.strictSame(diff('<a><![CDATA[x]]></a>', '<a>x</a>', false), []);
});

t.test('an error in place of a page is many differences and no value', async (t) => {
  const found = diff(page('n', '5'), 'Internal error');
  t.ok(found.length > 0);
  t.ok(found.every(({ change }) => change !== 'value'));
});

t.test('a secret field of a form is hidden', async (t) => {
  const form = (token: string) => `<form><input name="csrf_token" value="${token}"></form>`;
  t.match(diff(form('t1secret'), form('t2secret')), [{ primary: '[redacted]', shadow: '[redacted]' }]);
});

t.test('any text is read, in linear time, and equals itself', async (t) => {
  const piece = fc.constantFrom(
    '<',
    '>',
    '</',
    '<a',
    ' b="',
    "'",
    '"',
    '=',
    '/',
    '<!--',
    '-->',
    '<![CDATA[',
    'x',
    ' ',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), fc.boolean(), (pieces, isHtml) => {
      const text = pieces.join('');
      return diff(text, text, isHtml).length === 0;
    }),
    { numRuns: 1000 },
  );
  const start = performance.now();
  for (const hostile of ['<a b="', '<a ', '<!--', '</a', '<script>', '<li>', "<a b='"]) {
    try {
      parseMarkup(hostile.repeat(20_000), true);
    } catch {}
  }
  t.ok(performance.now() - start < 5000);
});
