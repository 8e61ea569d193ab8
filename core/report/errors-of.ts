/** Which of a version's requests it failed itself. */
import { blameOf, failureReasons } from '../errors.js';
import type { VersionSnapshot } from '../record/snapshot.js';

const serverErrorFirst = 500;
const serverErrorLast = 599;

/**
 * `hits`: responses of 5xx, and failures that are the version's own. `count`: these and every other whole
 * response.
 */
export function errorsOf(version: VersionSnapshot): { hits: number; count: number } {
  let hits = 0;
  let count = version.responsesOther;
  for (const [code, responses] of version.responses) {
    count += responses;
    if (code >= serverErrorFirst && code <= serverErrorLast) hits += responses;
  }
  failureReasons.forEach((reason, i) => {
    if (blameOf(reason) !== 'shadow') return;
    hits += version.failures[i];
    count += version.failures[i];
  });
  return { hits, count };
}
