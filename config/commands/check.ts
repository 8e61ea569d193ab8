/** `umbra check`. */
import { defineCommand, type OptionsOf, operand } from '../command-line/definition.js';
import { outputFlag, setFlag } from '../command-line/flags.js';
import { text } from '../command-line/values.js';

export const check = defineCommand({
  name: 'check',
  summary: 'check a configuration and report every problem in it',
  operands: { file: operand('<file>', 'configuration file, or another source that run accepts', text) },
  flags: { set: setFlag, output: outputFlag },
});

export type CheckOptions = OptionsOf<typeof check>;
