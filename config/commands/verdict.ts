/** `umbra verdict`. */
import { defineCommand, flag, type OptionsOf } from '../command-line/definition.js';
import { figuresFlags, figuresPlace, verdictFlags } from '../command-line/flags.js';
import { duration } from '../command-line/values.js';

export const verdict = defineCommand({
  name: 'verdict',
  summary: 'decide whether the shadow may be released; exit code 0: yes, 1: no, 3: too little data',
  flags: {
    ...figuresFlags,
    ...verdictFlags,
    forMs: flag(
      '--for <duration>',
      'watch for this long and judge only that time (default: since umbra started)',
      duration,
    ),
  },
  complete: ({ admin, token, fleet, instance, ...bounds }, misuse) => ({
    ...figuresPlace({ admin, token, fleet, instance }, misuse),
    ...bounds,
  }),
});

export type VerdictOptions = OptionsOf<typeof verdict>;
