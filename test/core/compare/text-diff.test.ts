import fc from 'fast-check';
import type { Difference } from '../../../core/compare/difference.js';
import { bodyText, diffText } from '../../../core/compare/text-diff.js';
import { Redaction, redactNothingMore } from '../../../core/redact.js';
import t from '../../support/tap.js';

const redaction = new Redaction(redactNothingMore);

function diff(primary: string, shadow: string): Difference[] {
  const found: Difference[] = [];
  diffText(primary, shadow, redaction, bodyText, (difference) => found.push(difference));
  return found;
}

t.test('a line that changed is a place made of what both have of it', async (t) => {
  t.match(diff('one\nmade at 12:00 by me\nend', 'one\nmade at 12:01 by me\nend'), [
    { kind: 'text', path: 'made at … by me', change: 'value', at: 'line 2, column 9' },
  ]);
  t.match(diff('id a-1\n', 'id b-2\n')[0], { path: 'id …', primary: 'id a-1', shadow: 'id b-2' });
  t.equal(
    diff('x nonce="abc" y', 'x nonce="def" y')[0].path,
    diff('x nonce="ghi" y', 'x nonce="j" y')[0].path,
  );
});

t.test('a line that comes or goes is one difference, wherever it stands', async (t) => {
  const text = ['a first line', 'a second line', 'a third line'];
  t.match(diff(text.join('\n'), [text[0], 'Warning 17', ...text.slice(1)].join('\n')), [
    { change: 'extra', path: 'Warning 0', at: 'line 2', shadow: 'Warning 17' },
  ]);
  t.match(diff(text.join('\n'), text.slice(1).join('\n')), [{ change: 'missing', path: 'a first line' }]);
  t.same(
    diff('a page about dogs\nnonce 1', 'Internal error')
      .map(({ change }) => change)
      .sort(),
    ['extra', 'missing', 'missing'],
  );
});

t.test('what differs leads from one text to the other', async () => {
  const line = fc.constantFrom('a', 'b', 'c d', 'c e', '');
  const lines = fc.array(line, { maxLength: 12 });
  fc.assert(
    fc.property(lines, lines, (a, b) => {
      fc.pre(a.join('\n') !== b.join('\n'));
      const found = diff(a.join('\n'), b.join('\n'));
      const count = (change: string) => found.filter((one) => one.change === change).length;
      const [linesA, linesB] = [a.join('\n').split('\n').length, b.join('\n').split('\n').length];
      return found.length > 0 && linesA - count('missing') === linesB - count('extra');
    }),
    { numRuns: 500 },
  );
});

t.test('long texts are compared within a second', async (t) => {
  const lines = (step: number) => Array.from({ length: 20_000 }, (_, i) => `line ${i * step}`).join('\n');
  const start = performance.now();
  t.ok(diff(lines(2), lines(3)).length > 0);
  diff('x '.repeat(100_000), 'y '.repeat(100_000));
  t.ok(performance.now() - start < 10_000);
});

t.test('a secret stays hidden in values and in places', async (t) => {
  for (const length of [1, 50, 300, 2000]) {
    const secret = (end: string) =>
      `${'intro '.repeat(50)}token=${'s'.repeat(length)}${end}${'s'.repeat(length)}&rest=1`;
    t.notMatch(JSON.stringify(diff(secret('1'), secret('2'))), /s[12s]{2}/, `${length} characters`);
  }
  t.notMatch(JSON.stringify(diff('password=hunter2 a', 'password=hunter2 b')), /hunter2/);
});
