/**
 * Scenario `comparing`: what it costs to compare responses, with every request mirrored. The two origins
 * answer with JSON that differs in one member, so that what is compared field by field has something to find.
 */
import { judged } from './compare.js';
import type { Measurement } from './comparison.js';
import { ratioAim } from './ratio-aim.js';
import { umbraTarget } from './targets/umbra.js';
import type { Aim, Bench, Verdict } from './verdict.js';

const off = 'off';
const pairs = 'pairs';
const digests = 'digests';
const structure = 'structure-1%';

const targets = [
  target(off, 'compare: off'),
  target(pairs, ''),
  target(digests, 'compare: { sample: 0 }'),
  target(structure, 'compare: { sample: 1% }'),
];

/** CPU of the whole process a request, analysts included, over that of one that compares nothing. */
const ratiosMax = [
  [pairs, 1.03],
  [structure, 1.05],
] as const;

export function comparing(bench: Bench): Promise<Verdict> {
  return judged(bench, targets, 'json', (measured) =>
    ratiosMax.map(([name, max]) => aim(measured, name, max)),
  );
}

function target(name: string, compare: string) {
  const mirror = ['to: v2', 'inFlight: 16384', compare].filter((key) => key !== '').join(', ');
  return umbraTarget(name, `  - { name: all, primary: v1, mirrors: [ { ${mirror} } ] }`, 'uws');
}

function aim(measured: readonly Measurement[], ours: string, max: number): Aim {
  const [mine, base] = [ours, off].map((one) => measured.filter(({ target }) => target === one));
  const name = `${ours}, CPU a request <= ${max} x ${off}`;
  return ratioAim({ name, ours: mine, rival: base, max, digits: 3 });
}
