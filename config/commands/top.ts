/** `umbra top`. */
import { defineCommand, type OptionsOf, toggle } from '../command-line/definition.js';
import { figuresFlags, figuresPlace, outputFlag } from '../command-line/flags.js';

export const top = defineCommand({
  name: 'top',
  summary: 'live view of a running umbra: versions, percentiles, mirrors, drops',
  flags: {
    ...figuresFlags,
    output: outputFlag,
    once: toggle('--once', 'print one snapshot and exit, as when the output is not a terminal'),
  },
  complete: ({ once, output, ...place }, misuse) => ({ ...figuresPlace(place, misuse), once, output }),
});

export type TopOptions = OptionsOf<typeof top>;
