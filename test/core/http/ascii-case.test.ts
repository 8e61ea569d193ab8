import fc from 'fast-check';
import { asciiLowerCase } from '../../../core/http/chars.js';
import t from '../../support/tap.js';

t.test('only ASCII letters change', async (t) => {
  for (const [text, lower] of [
    ['', ''],
    ['abc-1', 'abc-1'],
    ['Content-Length', 'content-length'],
    ['ma\u212a', 'ma\u212a'],
    ['MA\u212a', 'ma\u212a'],
    ['\u0130X', '\u0130x'],
    ['\u00c9A\u00e9', '\u00c9a\u00e9'],
  ] as const)
    t.equal(asciiLowerCase(text), lower, JSON.stringify(text));
  const naive = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  const letters = fc.constantFrom('a', 'Z', 'K', '\u212a', '\u0130', '\u017f', '\u00c9', '\ud835\udc00', '-');
  const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: letters }));
  fc.assert(fc.property(texts, (text) => asciiLowerCase(text) === naive(text)));
});
