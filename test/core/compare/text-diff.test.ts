import t from 'tap';
import { diffBinary, diffText } from '../../../core/compare/text-diff.js';
import { Redaction, redactNothingMore } from '../../../core/redact.js';

const redaction = new Redaction(redactNothingMore);

t.test('the first difference is told by line and column, with what stands around it', async (t) => {
  const before = 'x'.repeat(500);
  t.match(diffText(`${before}\nabc`, `${before}\nabd`, redaction), {
    kind: 'text',
    path: '',
    at: 'line 2, column 3',
  });
  t.match(diffText('', 'a', redaction), { at: 'line 1, column 1', primary: '', shadow: 'a' });
  t.match(diffText('ab', 'abc', redaction), { at: 'line 1, column 3', primary: 'ab', shadow: 'abc' });
  t.ok(String(diffText(`${before}a${before}`, `${before}b${before}`, redaction).primary).length < 200);
});

t.test('a secret stays hidden, however far before the difference its name stands', async (t) => {
  for (const length of [1, 50, 300, 2000]) {
    const secret = (end: string) =>
      `${'intro '.repeat(50)}token=${'s'.repeat(length)}${end}${'s'.repeat(length)}&rest=1`;
    const { primary, shadow } = diffText(secret('1'), secret('2'), redaction);
    t.notMatch(`${primary}${shadow}`, /s[12s]{2}/, `${length} characters`);
    t.match(primary, /\[redacted\]/);
  }
});

t.test('bytes are told by their place and number', async (t) => {
  t.match(diffBinary(Buffer.from([1, 2]), Buffer.from([1, 2, 3])), {
    kind: 'binary',
    at: 'byte 2',
    primary: '2 bytes, from there none',
    shadow: '3 bytes, from there 03',
  });
});
