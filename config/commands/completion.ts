/** `umbra completion`. */
import { type Shell, shells } from '../command-line/completion.js';
import { defineCommand, type OptionsOf, operand } from '../command-line/definition.js';
import { oneOf } from '../command-line/values.js';

export const completion = defineCommand({
  name: 'completion',
  summary: 'print the script by which bash, zsh or fish complete commands and flags',
  operands: { shell: operand<Shell>('<shell>', shells.join(', '), oneOf(...shells)) },
  flags: {},
});

export type CompletionOptions = OptionsOf<typeof completion>;
