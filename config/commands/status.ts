/** `umbra status`. */
import { defineCommand, type OptionsOf } from '../command-line/definition.js';
import { figuresFlags, figuresPlace, outputFlag } from '../command-line/flags.js';

export const status = defineCommand({
  name: 'status',
  summary: 'what a running umbra runs, and which live changes differ from its configuration',
  flags: { ...figuresFlags, output: outputFlag },
  complete: ({ output, ...place }, misuse) => ({ ...figuresPlace(place, misuse), output }),
});

export type StatusOptions = OptionsOf<typeof status>;
