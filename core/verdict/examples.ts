/**
 * What a person is shown beside the checks: pairs that differ, what was learned as noise, and what was not
 * looked at. Pure.
 */
import type { DiffGroupView } from '../report/diffs.js';
import { countText } from '../report/figures.js';
import { listText } from './check-sentences.js';
import type { Missed } from './coverage-check.js';
import type { Check, ExamplePair } from './verdict.js';

const examplesMax = 3;
const noiseMax = 8;

/** `groups` are of one mirror, those that are not noise first. */
export function examplesOf(groups: readonly DiffGroupView[], checks: readonly Check[]): ExamplePair[] {
  if (!checks.some(({ name, outcome }) => isOfContent(name) && outcome !== 'pass')) return [];
  return groups
    .filter((group) => !group.noise)
    .slice(0, examplesMax)
    .flatMap(exampleOf);
}

export function notesOf(groups: readonly DiffGroupView[], leftOut: readonly Missed[]): string[] {
  const noise = groups.filter((group) => group.noise);
  return [
    ...(noise.length === 0 ? [] : [`learned as noise: ${noiseText(noise)}`]),
    ...(leftOut.length === 0 ? [] : [`not mirrored: ${listText(leftOut)}`]),
  ];
}

function isOfContent(name: Check['name']): boolean {
  return name === 'status' || name === 'differences' || name === 'errors';
}

function exampleOf({ kind, path, change, samples }: DiffGroupView): ExamplePair[] {
  const last = samples[samples.length - 1];
  if (last === undefined) return [];
  const { id, request, primary, shadow } = last;
  return [
    { id, request, place: [kind, path, change].filter((word) => word !== '').join(' '), primary, shadow },
  ];
}

function noiseText(groups: readonly DiffGroupView[]): string {
  const shown = groups
    .slice(0, noiseMax)
    .map(({ endpoint, kind, path }) => `${endpoint} ${kind} ${path}`.trim());
  const more = groups.length - shown.length;
  return `${shown.join(', ')}${more === 0 ? '' : ` and ${countText(more)} more`}`;
}
