/**
 * The users of the new version are always the same ones where a key decides, and their requests may take
 * longer by themselves. Pairs are of one request each, so they say whether it is the version or its users.
 * Pure.
 */
import type { StepCheck } from './release-judge.js';

/**
 * `noneDiffering` turns a failure of latency between the versions into an undecided check where pairs of the
 * same requests are as fast.
 */
export function noneDiffering(ofVersions: readonly StepCheck[], ofPairs: readonly StepCheck[]): StepCheck[] {
  return ofVersions.map((check) => {
    const isOfLatency = check.name === 'latency' || check.name === 'tail';
    const pair = ofPairs.find(({ name }) => name === check.name);
    if (check.outcome !== 'fail' || !isOfLatency || pair?.outcome !== 'pass') return check;
    const text = `${check.text}; the same requests took as long at both versions, so the users or the requests differ, and not the versions`;
    return { ...check, outcome: 'undecided', text };
  });
}
