/** A verdict for people: each check with its numbers. Pure. */
import { durationText, shareText } from './figures.js';
import { CONFIDENCE } from './intervals.js';
import { type Check, isWithinNoise, type Outcome, type Verdict } from './verdict.js';

const outcomeWords: Readonly<Record<Outcome, string>> = {
  pass: 'PASS',
  fail: 'FAIL',
  'too-little-data': 'TOO LITTLE DATA',
};
const outcomeWidth = 17;
const nameWidth = 13;

/** `span`: what the figures are of, in words. */
export function verdictText(verdict: Verdict, span: string): string {
  const lines = [`${outcomeWords[verdict.outcome]}  ${span}`];
  if (verdict.mirrors.length === 0) lines.push('  no mirror is switched on, so there is nothing to judge');
  for (const { route, primary, shadow, checks } of verdict.mirrors) {
    lines.push('', `  ${route}: ${shadow} (shadow) against ${primary} (primary)`);
    for (const check of checks) lines.push(`  ${checkText(check)}`);
  }
  if (verdict.mirrors.length > 0) {
    lines.push(
      '',
      `  intervals are at ${CONFIDENCE * 100} % confidence; passed: the whole interval is within the bound`,
    );
  }
  return `${lines.join('\n')}\n`;
}

export function checkText(check: Check): string {
  const head = `${outcomeWords[check.outcome].padEnd(outcomeWidth)}${check.name.padEnd(nameWidth)}`;
  const { low, high } = check.interval;
  const range = `${signed(low)} to ${signed(high)}`;
  const { primary, shadow } = check;
  if (check.name === 'p99') {
    const sides = `${durationText(primary!.value)} (${primary!.count}) to ${durationText(shadow.value)} (${shadow.count})`;
    return `${head}${sides}: ${signed(check.measured)}, interval ${range}; bound +${shareText(check.bound)}${noiseText(check)}`;
  }
  if (check.name === 'errors') {
    const sides = `${shareText(primary!.value)} (${primary!.count}) to ${shareText(shadow.value)} (${shadow.count})`;
    return `${head}${sides}: ${signed(check.measured)} points, interval ${range}; bound +${shareText(check.bound)}`;
  }
  const unsigned = `${shareText(low)} to ${shareText(high)}`;
  return `${head}${shareText(shadow.value)} of ${shadow.count} pairs, interval ${unsigned}; bound ${shareText(check.bound)}`;
}

/** Said only where it decides. */
function noiseText(check: Check): string {
  if (!isWithinNoise(check) || check.interval.low <= check.bound) return '';
  const { from, share } = check.noise!;
  if (from === 'parts') return `; undecided: the primary's own p99 moved by ${shareText(share)} meanwhile`;
  return `; undecided: the primary as a shadow, its baseline, had a p99 ${shareText(share)} higher than as a primary`;
}

function signed(fraction: number): string {
  if (Number.isNaN(fraction)) return 'not measured';
  if (fraction === Number.POSITIVE_INFINITY) return 'any';
  return `${fraction < 0 ? '-' : '+'}${shareText(Math.abs(fraction))}`;
}
