import { peersCases } from '../../../bench/end-to-end/cases.js';
import { casePlot } from '../../../bench/end-to-end/plot.js';
import { ratioAim } from '../../../bench/end-to-end/ratio-aim.js';
import t from '../../support/tap.js';
import { one } from './measurement.js';

t.test('a floor is missed below it', async (t) => {
  const [ours, rival] = [[one('umbra', 20)], [one('nginx', 20, { requests: 50_000 })]];
  const figure = ({ requests }: { readonly requests: number }): number => requests;
  t.equal(ratioAim({ name: 'rate', ours, rival, min: 2, figure }).isMet, true);
  t.equal(ratioAim({ name: 'rate', ours, rival, min: 2.5, figure }).isMet, false);
});

t.test('a rival that did not take part is said so, and never a silent zero', async (t) => {
  const aim = ratioAim({ name: 'cpu', ours: [one('umbra', 20)], rival: [], max: 1 });
  t.match(aim, { isMet: null, found: 'a target is missing' });
});

t.test('every case has umbra on both engines and nginx', async (t) => {
  for (const { name, targets } of peersCases(64)) {
    const names = targets.map((target) => target.name);
    for (const wanted of ['umbra', 'umbra-node', 'nginx']) t.ok(names.includes(wanted), `${name}: ${wanted}`);
  }
});

t.test('a plot has a row for each target with CPU time, and shows its text as text', async (t) => {
  const svg = casePlot('plain', 'a < b & c', [
    one('direct', Number.NaN),
    one('umbra', 20),
    one('umbra', 30),
    one('umbra', 25),
    one('nginx', 20, { errors: 3 }),
  ]);
  t.match(svg, />25\.0 us, 20,000\/s</);
  t.match(svg, />20\.0 us, 20,000\/s, 3 errors</);
  t.match(svg, />a &lt; b &amp; c; CPU time/);
  t.match(svg, '<title>plain: CPU time', 'for who hears a page rather than sees it');
  t.notMatch(svg, />direct</);
  t.notMatch(svg, /NaN|Infinity/);
});
