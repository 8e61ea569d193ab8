/**
 * The steps of a rollout as people write them: `mirror:10m,1%:5m,25%:5m-1h,100%`. Each is a share with the
 * least time that it lasts, and the longest one where another than the usual is meant. The short form of a
 * mirror is one of all requests; `mirror=20%:10m` copies a fifth.
 */
import type { RolloutStep } from '../core/plan.js';
import { formatDuration, parseDuration, parseShare, percentOfShare, Refusal } from './units.js';

/** A rollout makes as many tests as its steps allow, and their errors add up (core/verdict/looks). */
const rolloutStepsMax = 10;
export const defaultSteps = 'mirror:10m,1%:5m,5%:5m,25%:5m,50%:5m,100%';

/** A step without the requests that it needs. */
export type StepTimes = Omit<RolloutStep, 'requestsMin'>;

const whole = 1_000_000;
const defaultLeast = '5m';
/** How many times as long as its least time a step lasts at most, unless it says so. */
const mostFactor = 6;
const stepExpected = 'expected a step such as mirror:10m, mirror=20%:10m, 5%:5m, 5%:5m-1h or 100%';
const pattern =
  /^(mirror(?:=(?<mirrored>[\d.]+%))?|(?<released>[\d.]+%))(?::(?<least>\d\w+)(?:-(?<most>\d\w+))?)?$/;

/** `parseSteps` reads a list of steps, or one text with commas. */
export function parseSteps(written: string | readonly string[]): StepTimes[] | Refusal {
  const words = typeof written === 'string' ? written.split(',').map((word) => word.trim()) : written;
  const steps: StepTimes[] = [];
  for (const [at, word] of words.entries()) {
    const step = parseStep(word);
    if (!(step instanceof Refusal)) steps.push(step);
    else
      return typeof written === 'string'
        ? new Refusal(`${word}: ${step.reason}`)
        : new Refusal(step.reason, [String(at)]);
  }
  const why = whyNoSteps(steps);
  return why === null ? steps : new Refusal(why);
}

export function formatStep({ kind, shareMillionths, atLeastMs, atMostMs }: StepTimes): string {
  const percent = `${percentOfShare(shareMillionths)}%`;
  const share = kind === 'release' ? percent : shareMillionths === whole ? 'mirror' : `mirror=${percent}`;
  return `${share}:${formatDuration(atLeastMs)}-${formatDuration(atMostMs)}`;
}

function parseStep(word: string): StepTimes | Refusal {
  const { mirrored, released, least, most } = pattern.exec(word)?.groups ?? {};
  if (!word.startsWith('mirror') && released === undefined) return new Refusal(stepExpected);
  if (released === undefined && pattern.exec(word) === null) return new Refusal(stepExpected);
  const shareMillionths = parseShare(released ?? mirrored ?? '100%');
  if (shareMillionths instanceof Refusal) return shareMillionths;
  if (shareMillionths === 0) return new Refusal('must be more than 0 %');
  const isLast = released !== undefined && shareMillionths === whole;
  const atLeastMs = parseDuration(least ?? (isLast ? '0s' : defaultLeast));
  if (atLeastMs instanceof Refusal) return atLeastMs;
  const atMostMs = most === undefined ? atLeastMs * mostFactor : parseDuration(most);
  if (atMostMs instanceof Refusal) return atMostMs;
  if (atMostMs < atLeastMs) return new Refusal('ends before its least time');
  return { kind: released === undefined ? 'mirror' : 'release', shareMillionths, atLeastMs, atMostMs };
}

function whyNoSteps(steps: readonly StepTimes[]): string | null {
  if (steps.length > rolloutStepsMax) return `has more than ${rolloutStepsMax} steps`;
  const last = steps[steps.length - 1];
  if (last?.kind !== 'release' || last.shareMillionths !== whole) return 'must end with 100%';
  for (const [at, step] of steps.entries()) {
    const before = steps[at - 1];
    if (before === undefined) continue;
    if (step.kind === 'mirror' && before.kind === 'release') return 'has a mirror behind a release';
    if (step.kind === before.kind && step.shareMillionths <= before.shareMillionths)
      return 'has a share that is not larger than the one before it';
  }
  return null;
}
