/** `umbra verdict`. */
import { InvalidArgumentError } from 'commander';
import { defineCommand, flag, type OptionsOf, toggle } from '../command-line/definition.js';
import { figuresFlags, figuresPlace, verdictFlags } from '../command-line/flags.js';
import { duration } from '../command-line/values.js';

export const verdict = defineCommand({
  name: 'verdict',
  summary:
    'decide whether the shadow may be released; exit code 0: yes, 1: no, 3: undecided, 4: umbra can not be reached',
  flags: {
    ...figuresFlags,
    ...verdictFlags,
    forMs: flag(
      '--for <duration>',
      'watch for this long and judge only that time (default: since umbra started)',
      duration,
    ),
    untilDecided: toggle(
      '--until-decided',
      'look every second from now on, and stop as soon as the answer is certain',
    ),
    atMostMs: flag(
      '--at-most <duration>',
      'with --until-decided: stop after this time',
      duration,
      1_800_000,
      '30m',
    ),
    plan: toggle(
      '--plan',
      'print how many pairs and how much time each check needs with the traffic seen so far',
    ),
    output: flag('--output <format>', 'text, json or junit', format, 'text', 'text'),
  },
  exclusive: ['forMs', 'untilDecided', 'plan'],
  complete: ({ admin, token, fleet, instance, ...options }, misuse) => {
    if (options.plan && options.output === 'junit') misuse('--plan prints text or json');
    return { ...figuresPlace({ admin, token, fleet, instance }, misuse), ...options };
  },
});

export type VerdictOptions = OptionsOf<typeof verdict>;

export type VerdictFormat = 'text' | 'json' | 'junit';

function format(value: string): VerdictFormat {
  if (value === 'text' || value === 'json' || value === 'junit') return value;
  throw new InvalidArgumentError('Expected text, json or junit.');
}
