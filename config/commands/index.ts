/** Every command, in the order of `umbra --help`. CONTRIBUTING.md describes how to add one. */
import type { OptionsOf } from '../command-line/definition.js';
import { apply } from './apply.js';
import { check } from './check.js';
import { completion } from './completion.js';
import { remove } from './delete.js';
import { demo } from './demo.js';
import { diffs } from './diffs.js';
import { load } from './load.js';
import { mirror } from './mirror.js';
import { record } from './record.js';
import { reload } from './reload.js';
import { replay } from './replay.js';
import { report } from './report.js';
import { rollout } from './rollout.js';
import { run } from './run.js';
import { shadow } from './shadow.js';
import { status } from './status.js';
import { top } from './top.js';
import { verdict } from './verdict.js';
import { version } from './version.js';
import { weights } from './weights.js';

export const commands = {
  run,
  check,
  reload,
  demo,
  mirror,
  weights,
  rollout,
  status,
  record,
  replay,
  shadow,
  load,
  top,
  report,
  verdict,
  diffs,
  apply,
  delete: remove,
  completion,
  version,
};

export type CommandName = keyof typeof commands;

/** The output of a command. Each call writes one line, given without a line end. */
export interface CommandIo {
  out(line: string): void;
  err(line: string): void;
}

/** The actions of the commands, by name. Each resolves with the exit code. */
export type CommandActions = {
  readonly [Name in CommandName]: (
    options: OptionsOf<(typeof commands)[Name]>,
    io: CommandIo,
  ) => Promise<number>;
};
