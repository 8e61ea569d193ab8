import type { MatchPlan } from '../../../core/plan.js';
import { LookedUp } from '../../../core/route/looked-up.js';
import { CompiledRoute } from '../../../core/route/route.js';
import { ValueTree } from '../../../core/route/value-tree.js';
import { atOnce } from '../../../core/steps.js';
import t from '../../support/tap.js';
import { field, request, route } from './support.js';

function times(count: number, match: Partial<MatchPlan>): Partial<MatchPlan>[] {
  return Array.from({ length: count }, () => match);
}

t.test('a name whose value is known is not asked again, so that others narrow further', async (t) => {
  const lookedUp = new LookedUp();
  const [one, two, y] = [field('exact', 'x', '1'), field('exact', 'x', '2'), field('exact', 'y', '1')];
  // Of the eight routes for `x=1`, to ask for x again would leave six on average, and to ask for y six and a
  // half.
  const matches = [
    ...times(2, { queries: [one] }),
    ...times(2, { queries: [one, y] }),
    ...times(12, { queries: [two] }),
    ...times(4, {}),
  ];
  const routes = matches.map((match, i) => new CompiledRoute(route(match).matches[0]!, i, lookedUp));
  const tree = atOnce(ValueTree.of(routes));
  const candidates = (target: string): number[] => {
    lookedUp.begin(request({ target }), 1);
    return tree.candidates().map(({ index }) => index);
  };
  t.strictSame(candidates('/?x=1'), [0, 1, 16, 17, 18, 19]);
  t.strictSame(candidates('/?x=1&y=1'), [0, 1, 2, 3, 16, 17, 18, 19]);
  t.strictSame(candidates('/?x=3'), [16, 17, 18, 19]);
});
