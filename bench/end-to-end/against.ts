/**
 * Scenario `against`: this tree and another revision of it, taken in turn, so that a change of a few per cent
 * shows on a machine whose own minutes differ by more.
 */
import { join } from 'node:path';
import { withRevision } from '../revision.js';
import { judged } from './compare.js';
import type { Measurement } from './comparison.js';
import { ratioAim } from './ratio-aim.js';
import type { Target } from './targets/target.js';
import { mirroredRoute, plainRoute, umbraTarget } from './targets/umbra.js';
import type { Aim, Bench, Verdict } from './verdict.js';

const kinds = [
  ['umbra', plainRoute, 'uws'],
  ['umbra-node', plainRoute, 'node'],
  ['umbra-mirror', mirroredRoute, 'uws'],
  ['umbra-node-mirror', mirroredRoute, 'node'],
] as const;
/** What two builds of the same source differ by on a machine with neighbours. */
const ratioMax = 1.03;
const endOf = '@';

export async function against(bench: Bench): Promise<Verdict> {
  const { revision } = bench.options;
  if (revision === null) throw new Error('the scenario against needs --compare REVISION');
  return withRevision(revision, (tree) => {
    const command = join(tree, 'bin/umbra.js');
    const targets = kinds.flatMap(([name, routes, engine]): Target[] => [
      umbraTarget(name, routes, engine),
      umbraTarget(`${name}${endOf}${revision}`, routes, engine, { command }),
    ]);
    return judged(bench, targets, 'text', (measured) => aims(measured, revision));
  });
}

function aims(measured: readonly Measurement[], revision: string): Aim[] {
  return kinds
    .map(([name]) => [name, of(measured, name), of(measured, `${name}${endOf}${revision}`)] as const)
    .filter(([, ours]) => ours.length > 0)
    .map(([kind, ours, rival]) =>
      ratioAim({
        name: `${kind}, CPU a request <= ${ratioMax} x ${revision}`,
        ours,
        rival,
        max: ratioMax,
        digits: 3,
      }),
    );
}

function of(measured: readonly Measurement[], name: string): readonly Measurement[] {
  return measured.filter(({ target }) => target === name);
}
