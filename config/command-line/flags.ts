/** Flags that several commands share. */
import type { LogLevel } from '../../core/plan.js';
import type { NatsBucket } from '../nats-address.js';
import { flag, type Misuse, orEnvironment, repeatedFlag, toggle } from './definition.js';
import { adminAddress, fleetAddress, fraction, oneOf, positiveInteger, text } from './values.js';

const adminDefault = 'http://127.0.0.1:9901';

/** Flags of every command that uses the admin API of a running umbra. */
export const adminFlags = {
  admin: orEnvironment(
    flag(
      '--admin <url>',
      'admin address of the running umbra: a URL, or unix:PATH',
      adminAddress,
      adminDefault,
      adminDefault,
    ),
    'UMBRA_ADMIN',
  ),
  token: orEnvironment(flag('--token <token>', 'admin token', text), 'UMBRA_TOKEN'),
};

/** Flags of every command that reads figures. `figuresPlace` converts them. */
export const figuresFlags = {
  ...adminFlags,
  fleet: flag(
    '--fleet <url>',
    'read all instances that publish there, for example nats://127.0.0.1:4222/umbra, instead of one umbra',
    fleetAddress,
  ),
  instance: flag('--instance <name>', 'read only this instance of the fleet', text),
};

/** The source of figures: a fleet if one is given, else the admin API. */
export interface FiguresPlace {
  readonly admin: string;
  readonly token: string | null;
  readonly fleet?: NatsBucket & {
    /** Null reads all instances as one. */
    readonly instance: string | null;
  };
}

interface FiguresValues {
  readonly admin: string;
  readonly token: string | null;
  readonly fleet: NatsBucket | null;
  readonly instance: string | null;
}

export function figuresPlace({ admin, token, fleet, instance }: FiguresValues, misuse: Misuse): FiguresPlace {
  if (fleet === null && instance !== null) misuse('--instance needs --fleet');
  return fleet === null ? { admin, token } : { admin, token, fleet: { ...fleet, instance } };
}

/** `bound` reads a percentage as a fraction, 0.1 for 10 %. `off` removes the bound and returns infinity. */
function bound(value: string): number {
  return value === 'off' ? Number.POSITIVE_INFINITY : fraction(value);
}

/** The bounds of a verdict. `off` leaves a check out. */
export const verdictFlags = {
  shift: flag(
    '--max-shift <percent>',
    'how much longer the shadow may take than the primary for the same request',
    bound,
    0.02,
    '2%',
  ),
  p99Delta: flag(
    '--max-p99-delta <percent>',
    "how far the shadow's p99 may be above the primary's in the same pairs",
    bound,
    0.1,
    '10%',
  ),
  errorDelta: flag(
    '--max-error-delta <percent>',
    "how many percentage points the shadow's error rate may be above the primary's",
    bound,
    0.0005,
    '0.05%',
  ),
  diff: flag('--max-diff <percent>', 'share of pairs that may differ', bound, 0.001, '0.1%'),
  samplesMin: flag('--min-samples <n>', 'fewer pairs are too few to decide', positiveInteger, 1000, '1000'),
};

/** The form in which a command prints its figures. */
export const outputFlag = flag('--output <format>', 'text or json', oneOf('text', 'json'), 'text', 'text');

/** How much a command that serves writes to its log; they win over `log.level`. */
export const logFlags = {
  verbose: toggle('-v, --verbose', 'log details too (log.level: debug)'),
  quiet: toggle('-q, --quiet', 'log errors alone (log.level: error)'),
};

/** `logLevelOf` returns the level that the flags ask for; null: that of the configuration. */
export function logLevelOf(
  { verbose, quiet }: { readonly verbose: boolean; readonly quiet: boolean },
  misuse: Misuse,
): LogLevel | null {
  if (verbose && quiet) misuse('--verbose and --quiet exclude each other');
  if (verbose) return 'debug';
  return quiet ? 'error' : null;
}

/** Overrides of the configuration. */
export const setFlag = repeatedFlag(
  '--set <path=value>',
  'set one value of the configuration, for example routes[0].mirrors[0].percent=5 (repeatable)',
  text,
);

/** Rules of comparison, for commands that compare without a running umbra. */
export const compareFlags = {
  config: flag('-c, --config <file>', 'configuration with the rules of comparison and of redaction', text),
  mirror: flag(
    '--mirror <route[/version]>',
    'mirror of the configuration whose rules are used (default: the only one that compares)',
    text,
  ),
  ignore: repeatedFlag(
    '--ignore <rule>',
    'leave out of the comparison: header:NAME, or a JSONPath such as $.requestId (repeatable)',
    text,
  ),
};

/** `checkCompareFlags` checks rules over several of `compareFlags`. */
export function checkCompareFlags(
  { config, mirror }: { readonly config: string | null; readonly mirror: string | null },
  misuse: Misuse,
): void {
  if (mirror !== null && config === null) misuse('--mirror needs the configuration of the mirror: -c FILE');
}
