/** Counts the requests that a version failed itself. */
import { blameOf, failureReasons } from '../errors.js';
import type { VersionSnapshot } from '../record/snapshot.js';

const serverErrorFirst = 500;
const serverErrorLast = 599;

/**
 * `errorsOf` returns `hits`, the responses of 5xx and failures that the version caused, and `count`, these
 * and all other complete responses.
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
