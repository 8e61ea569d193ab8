/** What each check says to a person, in one sentence. Pure. */

import { restarted } from '../report/diffs.js';
import { countText, durationText, shareText } from '../report/figures.js';
import { blocksMin } from './block-mean.js';
import type { Decided } from './check.js';
import type { CoverageDecided, Missed } from './coverage-check.js';
import type { DifferencesDecided } from './difference-checks.js';
import type { ErrorsDecided } from './error-check.js';
import type { ShiftDecided, TailDecided } from './latency-checks.js';
import type { Check, Why } from './verdict.js';

interface Names {
  readonly primary: string;
  readonly shadow: string;
  /** The flag by which a person says how many pairs are too few. */
  readonly samplesFlag: string;
}

const nothing = 'nothing was measured';
const countsRestarted = `their counts were restarted meanwhile (${restarted})`;

export function ofErrors(check: ErrorsDecided, names: Names): Check {
  const { primary, shadow } = names;
  const { pairs, primaryErrors, shadowErrors, unreachable, measured } = check;
  const down = unreachable === 0 ? '' : ` (${countText(unreachable)} while it was down)`;
  const failed = `${shadow} failed ${countText(shadowErrors)}${down} of ${countText(pairs)} requests and ${primary} ${countText(primaryErrors)}`;
  return withReason(
    check,
    pairs === 0 ? nothing : `${failed}: ${signed(measured)} points, ${rangeText(check)}`,
    'points',
    names,
  );
}

export function ofShift(check: ShiftDecided, names: Names): Check {
  const { shadow } = names;
  const { pairs, measured, delayUs, primaryMedianUs, hasBaseline, resolution } = check;
  const than = hasBaseline ? 'its baseline' : 'the primary';
  const text = `${shadow} took ${slowerText(measured)} ${than} for the same request, ${rangeText(check)}, in ${countText(pairs)} pairs`;
  const delay = `umbra's own delay, ${durationText(delayUs)} in the middle beside a median of ${durationText(primaryMedianUs)}`;
  const why = `${delay}, may show ${signed(resolution)} by itself; a baseline takes it out where requests are safe`;
  return withReason(check, pairs === 0 ? nothing : text, why, names);
}

export function ofTail(check: TailDecided, names: Names): Check {
  const { primary, shadow } = names;
  const { pairs, primaryP99Us, shadowP99Us, baseline } = check;
  const text = `the p99 of ${shadow} was ${durationText(shadowP99Us)} and that of ${primary} ${durationText(primaryP99Us)} in the same ${countText(pairs)} pairs: ${signed(check.measured)}, ${rangeText(check)}`;
  const why =
    check.why === 'baseline'
      ? `${primary} as a shadow, its baseline, had a p99 ${shareText(baseline ?? 0)} higher than as a primary`
      : "umbra's own delay in sending copies is as large; a baseline of 1 000 pairs takes it out where requests are safe";
  return withReason(check, pairs === 0 ? nothing : text, why, names);
}

export function ofStatus(check: Decided, names: Names): Check {
  const { pairs, measured } = check;
  return withReason(
    check,
    pairs === 0
      ? nothing
      : `the status differed in ${countText(measured * pairs)} of ${countText(pairs)} pairs: ${shareText(measured)}, ${rangeText(check)}`,
    '',
    names,
  );
}

export function ofDifferences(check: DifferencesDecided, names: Names): Check {
  const { pairs, measured, bytesDiffer, bytesPairs, examined } = check;
  if (bytesPairs === 0) return withReason(check, nothing, '', names);
  const bytes = `${countText(bytesDiffer)} of ${countText(bytesPairs)} pairs differed in a byte`;
  if (examined === null)
    return withReason(check, `${bytes}: ${shareText(measured)}, ${rangeText(check)}`, '', names);
  const noisy = examined.undecided === 0 ? '' : ` and ${countText(examined.undecided)} perhaps`;
  const found =
    pairs === 0
      ? 'no pair was taken apart'
      : `${countText(examined.differentBeyondNoise)}${noisy} of ${countText(pairs)} pairs that were taken apart differed beyond noise: ${shareText(measured)}, ${rangeText(check)}`;
  const exceeded = examined.overflow.filter((name) => name !== restarted);
  const incomplete = [
    ...(exceeded.length > 0 ? [`the bound ${exceeded.join(', ')} was exceeded`] : []),
    ...(examined.overflow.includes(restarted) ? [countsRestarted] : []),
  ];
  return withReason(check, `${found}; ${bytes}`, incomplete.join(', and '), names);
}

export function ofCoverage(check: CoverageDecided, names: Names): Check {
  const { pairs, missed, unexamined, measured } = check;
  const lost = [
    ...(missed.length === 0 ? [] : [`not sent: ${listText(missed)}`]),
    ...(unexamined.length === 0 ? [] : [`not taken apart: ${listText(unexamined)}`]),
  ];
  const text = `${countText(pairs)} pairs were judged, ${shareText(measured)} of those that could be${lost.length === 0 ? '' : ` (${lost.join('; ')})`}`;
  return withReason(check, pairs === 0 ? nothing : text, '', names);
}

export function listText(missed: readonly Missed[]): string {
  return missed.map(({ reason, count }) => `${countText(count)} ${reason}`).join(', ');
}

/** `special`: the reason that is the check's own. */
function withReason(
  { name, outcome, why, measured, interval, bound, passBound, pairs }: Decided,
  text: string,
  special: string,
  { samplesFlag }: Names,
): Check {
  const reason = why === null ? '' : `; undecided: ${whyText(why, special, samplesFlag)}`;
  const passes = passBound === undefined ? {} : { passBound };
  return { name, outcome, why, measured, interval, bound, ...passes, pairs, text: `${text}${reason}` };
}

function whyText(why: Why, special: string, samplesFlag: string): string {
  switch (why) {
    case 'few-pairs':
      return `there are fewer pairs than ${samplesFlag}`;
    case 'few-blocks':
      return `the pairs fall into fewer than ${blocksMin} stretches of time, so their error is not known`;
    case 'wide':
      return 'more pairs are needed';
    case 'bursts':
      return 'what differs comes in bursts, so the pairs say less than their number; a longer time is needed';
    case 'unknown-noise':
      return 'most pairs differ, and nothing says whether answers of one version differ too; set compare.sample and compare.baseline';
    case 'noise':
      return 'some differences can not be distinguished from noise yet';
    case 'coverage':
      return 'too much was not looked at';
    case 'resolution':
    case 'baseline':
    case 'overflow':
      return special;
  }
}

function rangeText({ name, interval, bound, passBound }: Decided): string {
  const isSigned = name === 'errors' || name === 'latency' || name === 'tail';
  const [low, high] = isSigned
    ? [signed(interval.low), signed(interval.high)]
    : [shareText(Math.max(0, interval.low)), shareText(interval.high)];
  return `between ${low} and ${high}, allowed ${passBound === undefined ? '' : 'for the next step '}${isSigned ? '+' : ''}${shareText(passBound ?? bound)}`;
}

function slowerText(measured: number): string {
  if (Math.abs(measured) < 0.0005) return 'as long as';
  return `${shareText(Math.abs(measured))} ${measured > 0 ? 'longer' : 'less'} than`;
}

function signed(fraction: number): string {
  if (Number.isNaN(fraction)) return 'not measured';
  if (fraction === Number.POSITIVE_INFINITY) return 'any';
  return `${fraction < 0 ? '-' : '+'}${shareText(Math.abs(fraction))}`;
}
