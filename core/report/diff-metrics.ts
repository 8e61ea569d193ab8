import type { Registry } from 'prom-client';
import type { Diffs } from '../compare/diff-book.js';
import { counter, gauge } from './metric.js';

/** `addDiffs` adds the results of response comparisons as metrics. */
export function addDiffs(registry: Registry, diffs: Diffs): void {
  const by = ['route', 'version', 'role'];
  const pairs = counter(
    registry,
    'umbra_compare_pairs_total',
    'Pairs of responses compared field by field, by result, since the control thread started.',
    [...by, 'result'],
  );
  const beyondNoise = gauge(
    registry,
    'umbra_compare_different_beyond_noise',
    'Pairs of responses that differ in something that is not noise; falls when a difference is found to be noise.',
    by,
  );
  const groups = gauge(
    registry,
    'umbra_compare_groups',
    'Groups of differences between responses, as /api/diffs lists them.',
    [],
  );
  const ungrouped = counter(
    registry,
    'umbra_compare_ungrouped_total',
    'Differences between responses that belong to no group because there are as many groups as allowed.',
    [],
  );
  for (const { route, version, compared, different, differentBeyondNoise, notComparable } of diffs.mirrors) {
    const labels = { route, version, role: 'shadow' };
    pairs.inc({ ...labels, result: 'equal' }, compared - different);
    pairs.inc({ ...labels, result: 'different' }, different - notComparable);
    pairs.inc({ ...labels, result: 'not-comparable' }, notComparable);
    beyondNoise.set(labels, differentBeyondNoise);
  }
  groups.set(diffs.groups.length);
  ungrouped.inc(diffs.ungrouped);
}
