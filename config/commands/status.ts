/** `umbra status`. */
import { defineCommand, type OptionsOf } from '../command-line/definition.js';
import { adminFlags, outputFlag } from '../command-line/flags.js';

export const status = defineCommand({
  name: 'status',
  summary: 'what a running umbra runs, and which live changes differ from its configuration',
  flags: { ...adminFlags, output: outputFlag },
});

export type StatusOptions = OptionsOf<typeof status>;
