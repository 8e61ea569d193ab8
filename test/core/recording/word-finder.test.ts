import fc from 'fast-check';
import { WordFinder } from '../../../core/recording/word-finder.js';
import t from '../../support/tap.js';

const words = ['token', 'to-do', 'sid=', 'key ', 'aab', 'ab'];
const finder = new WordFinder(words);
const fragments = [
  'tok',
  'en',
  'to',
  'do',
  '-',
  '_',
  '.',
  's',
  'id',
  '=',
  'KEY',
  ' ',
  '\t',
  'a',
  'b',
  'é',
  'x',
];

/** The same said without an automaton. */
function stands(text: string): boolean {
  const folded = text.toLowerCase().replace(/[-_.]/g, '').replace(/\s/g, ' ');
  return words.some((word) => folded.includes(word.replace(/[-_.]/g, '')));
}

t.test('a word is found in any case, whatever stands between its letters, and nothing else is', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...fragments), { maxLength: 40 }), (parts) => {
      const text = parts.join('');
      const bytes = Buffer.from(text, 'latin1');
      t.equal(finder.finds(bytes, 0, bytes.byteLength), stands(text), text);
    }),
  );
});

t.test('only the bytes that were asked for are looked at', async (t) => {
  const bytes = Buffer.from('token');
  t.notOk(finder.finds(bytes, 0, 4));
  t.notOk(finder.finds(bytes, 1, 5));
  t.notOk(new WordFinder([]).finds(bytes, 0, 5), 'of no words none stands there');
});
