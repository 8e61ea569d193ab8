import fc from 'fast-check';
import { redactJson } from '../../../core/recording/json-redaction.js';
import { Redaction, redactNothingMore } from '../../../core/redact.js';
import t from '../../support/tap.js';

const byName = new Redaction(redactNothingMore);

t.test('secret members are hidden and every other character stays', async (t) => {
  const text =
    '{ "id": 12345678901234567890.10, "password" : {"a":[1,"}"]}, "b":[{"apiKey":"x,y"}, "é\\u0041"] }\n';
  t.equal(
    redactJson(text, byName),
    '{ "id": 12345678901234567890.10, "password" : "[redacted]", "b":[{"apiKey":"[redacted]"}, "é\\u0041"] }\n',
  );
});

t.test('a name that is written with escapes is read before it is judged', async (t) => {
  t.equal(redactJson('{"pass\\u0077ord":"hunter2"}', byName), '{"pass\\u0077ord":"[redacted]"}');
});

t.test('places that the configuration names are hidden', async (t) => {
  const redaction = new Redaction({
    defaults: false,
    headers: [],
    query: [],
    json: ['$.user.name', '$..pin[1]'],
  });
  t.equal(
    redactJson('{"user":{"name":["a"],"age":7},"x":{"pin":[1,2,3]}}', redaction),
    '{"user":{"name":"[redacted]","age":7},"x":{"pin":[1,"[redacted]",3]}}',
  );
});

t.test('a secret in a text that is cut off at any place is not shown', async (t) => {
  const text = '{"a":[1,{"token":"SECRET-VALUE-SECRET"},"b"],"c":{"password":["SECRET"]}}';
  for (let end = 0; end <= text.length; end++)
    t.notMatch(redactJson(text.slice(0, end), byName), /SECRET/, text.slice(0, end));
});

t.test('of any JSON the secrets go and the rest stays as it was', async (t) => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), fc.json(), fc.boolean(), (json, secret, spaced) => {
      const plain = JSON.parse(json) as unknown;
      const blank = spaced ? 2 : 0;
      const text = JSON.stringify({ plain, password: JSON.parse(secret) as unknown, end: 1 }, null, blank);
      const expected = JSON.stringify({ plain, password: '[redacted]', end: 1 }, null, blank);
      // Values that look like credentials themselves are another matter.
      if (redactJson(json, byName) !== json) return;
      t.equal(redactJson(text, byName), expected);
    }),
  );
});

t.test('no text, whatever it is, is more than it can take', async (t) => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', '\\', ',', ':', 'a', ' ', '1') }),
      (text) => {
        t.type(redactJson(text, byName), 'string');
      },
    ),
  );
  t.equal(redactJson('['.repeat(100_000), byName), '['.repeat(100_000));
  const long = `{"a":"${'x'.repeat(4_000_000)}","token":"y"}`;
  t.ok(redactJson(long, byName).endsWith('"token":"[redacted]"}'));
});
