import type { Difference } from '../../../core/compare/difference.js';
import { FieldDiff } from '../../../core/compare/field-diff.js';
import { splitOutsideQuotes } from '../../../core/compare/quoted-list.js';
import { readResponse } from '../../../core/compare/response.js';
import { Redaction, redactNothingMore } from '../../../core/redact.js';
import t from '../../support/tap.js';

const fields = new FieldDiff(['x-ignored'], new Redaction(redactNothingMore));

function response(lines: readonly string[]) {
  const head = Buffer.from(['200 OK', ...lines].join('\r\n'));
  return readResponse({ status: 200, head, body: Buffer.alloc(0), truncated: false });
}

function diff(primary: readonly string[], shadow: readonly string[], bodiesEqual = true): Difference[] {
  const found: Difference[] = [];
  fields.compare(response(primary), response(shadow), bodiesEqual, (difference) => found.push(difference));
  return found;
}

const named = (primary: readonly string[], shadow: readonly string[], bodiesEqual?: boolean) =>
  diff(primary, shadow, bodiesEqual).map(({ path, change }) => `${path} ${change}`);

t.test('what HTTP says is equal is equal', async (t) => {
  for (const [a, b] of [
    ['Vary: Accept, Accept-Encoding', 'vary: accept-encoding,accept'],
    ['Content-Type: text/html;charset=UTF-8', 'content-type: Text/HTML; Charset="utf-8"'],
    ['Content-Type: a/b; x=1; y=2', 'content-type: a/b; y=2; x=1'],
    ['Cache-Control: no-store, max-age=5', 'cache-control: max-age=5,no-store'],
    ['Allow: GET, HEAD', 'allow: HEAD, GET'],
    ['Set-Cookie: a=1; HttpOnly; Path=/', 'set-cookie: a=1; path=/; httponly'],
    [
      'Strict-Transport-Security: max-age=1; includeSubDomains',
      'strict-transport-security: includesubdomains;max-age=1',
    ],
    ['Date: 1', 'date: 2'],
    ['x-ignored: 1', 'x-ignored: 2'],
  ]) {
    t.strictSame(named([a], [b]), [], a);
  }
  t.strictSame(named(['vary: a', 'vary: b'], ['vary: b, a']), [], 'repeats are one list');
});

t.test('a member that differs is named', async (t) => {
  t.strictSame(named(['vary: accept'], ['vary: accept, cookie']), ['vary cookie extra']);
  t.strictSame(named(['cache-control: max-age=5, public'], ['cache-control: max-age=6']), [
    'cache-control max-age value',
    'cache-control public missing',
  ]);
  t.strictSame(named(['content-type: a/b'], ['content-type: a/c']), ['content-type value']);
  t.strictSame(named(['x: 1'], []), ['x missing']);
  t.strictSame(named([], ['x: 1']), ['x extra']);
});

t.test('a cookie has a name, a value and attributes, each a place of its own', async (t) => {
  const v1 = ['set-cookie: sid=abc; HttpOnly; Secure; SameSite=Lax', 'set-cookie: lang=en'];
  t.strictSame(named(v1, ['set-cookie: lang=en', 'set-cookie: sid=xyz; Secure; SameSite=lax']), [
    'set-cookie sid value',
    'set-cookie sid; httponly missing',
  ]);
  t.strictSame(named(v1, ['set-cookie: lang=en']), [
    'set-cookie sid missing',
    'set-cookie sid; httponly missing',
    'set-cookie sid; secure missing',
    'set-cookie sid; samesite missing',
  ]);
  const shown = JSON.stringify(diff(v1, ['set-cookie: sid=xyz']));
  t.notMatch(shown, /abc|xyz/, 'values are hidden');
  t.match(shown, /\[redacted\]/);
});

t.test('what describes the bytes counts only where the bodies differ', async (t) => {
  const [a, b] = [
    ['etag: "1"', 'last-modified: x'],
    ['etag: "2"', 'content-encoding: gzip'],
  ];
  t.strictSame(named(a, b, true), []);
  t.strictSame(named(a, b, false), ['etag value', 'last-modified missing', 'content-encoding extra']);
});

t.test('a separator in a quoted string separates nothing', async (t) => {
  t.strictSame(splitOutsideQuotes('a, "b, \\" c" , d,', ','), ['a', '"b, \\" c"', 'd']);
  t.strictSame(splitOutsideQuotes('"open, end', ','), ['"open, end']);
  t.strictSame(splitOutsideQuotes('', ','), []);
});
