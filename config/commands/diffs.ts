/** `umbra diffs`. */
import { defineCommand, flag, type OptionsOf } from '../command-line/definition.js';
import { adminFlags, outputFlag } from '../command-line/flags.js';
import { text } from '../command-line/values.js';

const fileDefault = 'umbra.yaml';

export const diffs = defineCommand({
  name: 'diffs',
  summary: 'list the differences by endpoint, place and change; accept an intended one',
  flags: {
    ...adminFlags,
    accept: flag('--accept <group>', 'write the rule that accepts this group into the configuration', text),
    config: flag(
      '-c, --config <file>',
      'configuration file that --accept changes',
      text,
      fileDefault,
      fileDefault,
    ),
    output: outputFlag,
  },
  complete: (options) => options,
});

export type DiffsOptions = OptionsOf<typeof diffs>;
