/** `umbra version`. */
import { defineCommand, type OptionsOf } from '../command-line/definition.js';
import { outputFlag } from '../command-line/flags.js';

export const version = defineCommand({
  name: 'version',
  summary: 'print the version, with its commit, Node and the engines that load here',
  flags: { output: outputFlag },
});

export type VersionOptions = OptionsOf<typeof version>;
