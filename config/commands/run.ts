/** `umbra run`. */
import { InvalidArgumentError } from 'commander';
import { defineCommand, flag, type OptionsOf, optionalOperand } from '../command-line/definition.js';
import { logFlags, logLevelOf, setFlag } from '../command-line/flags.js';
import { positiveInteger, text } from '../command-line/values.js';

/**
 * The process whose addresses are taken over: its pid, or a file that contains the pid and then receives
 * ours.
 */
export type Takeover = { readonly pid: number } | { readonly file: string };

const configDefault = 'umbra.yaml';

export const run = defineCommand({
  name: 'run',
  summary: 'run the proxy in the foreground',
  operands: {
    file: optionalOperand(
      '[file]',
      `configuration file, a directory with umbra.yaml and resources, or nats-kv://host:4222/bucket/key (default: ${configDefault})`,
      text,
    ),
  },
  flags: {
    config: flag('-c, --config <file>', 'the same as [file]', text),
    set: setFlag,
    ...logFlags,
    takeover: flag(
      '--takeover <pid|file>',
      'take over the addresses of a running umbra, then ask it to drain; a file contains its pid, and then ours',
      takeover,
    ),
    readyFd: flag('--ready-fd <n>', 'write a line to this file descriptor when it serves', positiveInteger),
  },
  complete({ file, config, verbose, quiet, ...options }, misuse) {
    if (file !== null && config !== null) misuse('give the configuration once: as [file], or with --config');
    return {
      ...options,
      config: file ?? config ?? configDefault,
      logLevel: logLevelOf({ verbose, quiet }, misuse),
    };
  },
});

export type RunOptions = OptionsOf<typeof run>;

function takeover(value: string): Takeover {
  if (value === '') throw new InvalidArgumentError('Expected a pid, or a file that holds one.');
  return /^[1-9]\d{0,9}$/.test(value) ? { pid: Number(value) } : { file: value };
}
