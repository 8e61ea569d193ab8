/** Compiles a checked `compare` to its part of the plan. */

import { safeMethods } from '../core/http/safe-methods.js';
import type { ComparePlan, MirrorPlan, StructurePlan } from '../core/plan.js';
import { isReflection } from './described.js';
import type { MirrorConfig } from './schema.js';
import { shareMillionthsAll } from './units.js';

type CompareConfig = Exclude<NonNullable<MirrorConfig['compare']>, 'off'>;

/** `compileCompare` returns what is compared of the pairs of `mirror`, including its baseline. */
export function compileCompare(
  compare: CompareConfig,
  mirror: MirrorPlan,
  versions: ReadonlyMap<string, number>,
  nextSlot: () => number,
): ComparePlan {
  const own: StructurePlan = {
    ignoreHeaders: [...new Set(compare.ignore.flatMap((rule) => ('header' in rule ? [rule.header] : [])))],
    ignorePaths: [...new Set(compare.ignore.flatMap((rule) => ('path' in rule ? [rule.path] : [])))],
    tolerance: compare.tolerance,
    arrays: compare.arrays,
    ...compileRules(compare.rules),
    endpoints: compare.endpoints === 'auto' ? [] : compare.endpoints,
    protobuf: compare.protobuf?.descriptors.set ?? null,
    reflection: compare.protobuf !== undefined && isReflection(compare.protobuf.descriptors),
    baseline: null,
  };
  const plan = {
    pairs: true,
    digest: compare.body.digest,
    headers: [...new Set(compare.headers)],
    structure: own,
  };
  if (compare.baseline === undefined) return plan;
  const baseline: MirrorPlan = {
    ...mirror,
    slot: nextSlot(),
    to: versions.get(compare.baseline)!,
    shareMillionths: shareMillionthsAll,
    sample: { by: 'random' },
    methods: safeMethods,
    // The primary's version must get the same request as the primary got.
    of: 'forwarded',
    host: { kind: 'preserve' },
    rewrite: null,
    headers: { remove: [], set: [], add: [] },
    compare: plan,
  };
  return { ...plan, structure: { ...own, baseline } };
}

/**
 * `compileRules` separates the rules. A value that may differ in any way is left out of the comparison; other
 * allowed differences are found but not counted.
 */
function compileRules(rules: CompareConfig['rules']): Pick<StructurePlan, 'rules' | 'meant'> {
  const isMeant = ({ path, endpoint, ignore }: CompareConfig['rules'][number]) =>
    ignore !== undefined && (path.kind !== 'json' || endpoint !== undefined || ignore !== true);
  return {
    rules: rules
      .filter((rule) => !isMeant(rule))
      .map(({ path, ignore, tolerance, unordered, key, matches, equivalent }) => ({
        path: path.path,
        ignore: ignore === true,
        tolerance: tolerance ?? null,
        unordered: unordered === true,
        key: key ?? null,
        matches: matches ?? null,
        equivalent: equivalent ?? null,
      })),
    meant: rules.filter(isMeant).map(({ path, endpoint, ignore }) => ({
      ...path,
      change: ignore === true ? null : ignore!,
      endpoint: endpoint ?? null,
    })),
  };
}
