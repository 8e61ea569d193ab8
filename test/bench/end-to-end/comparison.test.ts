import { comparisonAims, comparisonText } from '../../../bench/end-to-end/comparison.js';
import t from '../../support/tap.js';
import { one } from './measurement.js';

t.test('an aim is judged by the median of the ratios of each round', async (t) => {
  // The medians of each alone, 30 and 20, would say 1.5; the rounds say 1.2, 1.5 and 4.
  const measured = [
    one('umbra', 24),
    one('nginx', 20),
    one('umbra', 30),
    one('nginx', 20),
    one('umbra', 80),
    one('nginx', 20),
  ];
  const [plain] = comparisonAims(measured);
  t.match(plain, { isMet: true, found: /^1\.50 x \(1\.20\.\.4\.00 by round\)/ });
});

t.test('a ratio above the aim misses it', async (t) => {
  const [plain, mirror] = comparisonAims([
    one('umbra', 31),
    one('nginx', 20),
    one('umbra-mirror', 59),
    one('nginx-mirror', 100),
  ]);
  t.equal(plain.isMet, false);
  t.equal(mirror.isMet, true);
});

t.test('without the rival there is no verdict', async (t) => {
  const [plain, mirror] = comparisonAims([one('umbra', 20), one('umbra-mirror', 40)]);
  t.match(plain, { isMet: null, found: 'a target is missing' });
  t.match(mirror, { isMet: null });
});

t.test('one round with errors spoils the verdict and marks the row', async (t) => {
  const measured = [one('umbra', 20), one('nginx', 20), one('umbra', 20, { errors: 3 }), one('nginx', 20)];
  t.match(comparisonAims(measured)[0], { isMet: null, found: /umbra had 3 errors/ });
  t.match(comparisonText(measured), /umbra INVALID/);
});

t.test('a mirror that dropped its copies is not a mirror to compare with', async (t) => {
  const measured = [one('umbra-mirror', 20, { copiesShare: 0.4 }), one('nginx-mirror', 100)];
  t.match(comparisonAims(measured)[1], { isMet: null, found: /umbra-mirror sent only 40\.0 %/ });
});

t.test('a round without an answer is not valid', async (t) => {
  const measured = [one('umbra', Number.NaN, { requests: 0 }), one('nginx', 20)];
  t.match(comparisonAims(measured)[0], { isMet: null, found: /answered nothing/ });
});

t.test(
  'the table has a row for each target with its spread, and dashes where nothing is measured',
  async (t) => {
    const nothing = {
      cpuUsPerRequest: Number.NaN,
      peakBytes: Number.NaN,
      othersShare: Number.NaN,
      threads: [],
    };
    const text = comparisonText([
      one('direct', 0, nothing),
      one('nginx', 18),
      one('direct', 0, nothing),
      one('nginx', 22, { requests: 50_000 }),
    ]);
    const [, , directRow, nginxRow] = text.split('\n');
    t.match(directRow, /^direct +20,000 +20,000\.\.20,000 +1\.50 +4\.00 +9\.00 +0 +- +-\.\.- +- +- +-$/);
    t.match(
      nginxRow,
      /^nginx +15,000 +10,000\.\.20,000 +1\.50 +4\.00 +9\.00 +0 +20\.0 +18\.0\.\.22\.0 +100 +2\.0 % +-$/,
    );
    t.match(text, /nginx +22\.0 {2}worker \(42\)/);
  },
);

t.test('a run whose CPU was used by others says so', async (t) => {
  t.match(
    comparisonText([one('nginx', 18, { othersShare: 0.3 }), one('nginx', 18)]),
    /DISTURBED: in 1 of 2 measurements/,
  );
  t.notMatch(comparisonText([one('nginx', 18)]), /DISTURBED/);
});
