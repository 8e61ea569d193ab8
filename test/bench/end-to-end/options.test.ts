import { parseOptions, scenarioNames } from '../../../bench/end-to-end/options.js';
import { parseCpuList } from '../../../bench/end-to-end/placement.js';
import t from '../../support/tap.js';

t.test('without arguments, umbra is measured against its peers', async (t) => {
  t.match(parseOptions([]), { scenarios: ['peers'], only: null, rate: null, jsonPath: null, pin: true });
});

t.test('scenarios and options are taken in any order', async (t) => {
  t.match(
    parseOptions([
      'idle',
      '--seconds',
      '2',
      'memory',
      '--only',
      'umbra,nginx',
      '--no-pin',
      '--json',
      'a.json',
    ]),
    {
      scenarios: ['idle', 'memory'],
      seconds: 2,
      only: ['umbra', 'nginx'],
      jsonPath: 'a.json',
      pin: false,
    },
  );
});

t.test('all names every scenario that needs nothing more to be said', async (t) => {
  const apart = scenarioNames.filter((name) => name !== 'against');
  t.same(parseOptions(['all'])?.scenarios, apart);
});

t.test('a revision to compare with is a scenario of its own', async (t) => {
  t.match(parseOptions(['--compare', 'HEAD~1']), { scenarios: ['against'], revision: 'HEAD~1' });
});

t.test('help is asked for by name', async (t) => {
  t.equal(parseOptions(['--help']), null);
});

t.test('what is not known or not a whole number is refused', async (t) => {
  t.throws(() => parseOptions(['isolatoin']), /no scenario is called isolatoin/);
  t.throws(() => parseOptions(['--seconds', '0']), /--seconds takes a whole number from 1: 0/);
  t.throws(() => parseOptions(['--rounds', '1.5']), /--rounds/);
  t.throws(() => parseOptions(['--fast']), /--fast/);
});

t.test('CPU lists are ranges and single numbers', async (t) => {
  t.same(parseCpuList('0-2,5,7-8'), [0, 1, 2, 5, 7, 8]);
  t.same(parseCpuList(''), []);
});
