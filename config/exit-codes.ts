/** What a command ends with. `docs/commands.md` has `exitCodes` as its table. */
export const exitOk = 0;
export const exitFailure = 1;
/** A command or a configuration that is wrong. */
export const exitUsage = 2;
/** A verdict that is neither yes nor no. */
export const exitUndecided = 3;
/** The running umbra, or the fleet, can't be asked. */
export const exitUnreachable = 4;

export const exitCodes: readonly { readonly code: number; readonly meaning: string }[] = [
  { code: exitOk, meaning: 'Done. A verdict is PASS.' },
  { code: exitFailure, meaning: 'Not done: what was asked failed or was refused. A verdict is FAIL.' },
  {
    code: exitUsage,
    meaning: 'The command line, the configuration or a file is wrong, or Node is too old. Nothing was begun.',
  },
  { code: exitUndecided, meaning: 'A verdict is UNDECIDED: there is too little data for yes or no.' },
  { code: exitUnreachable, meaning: 'The running umbra, or the fleet, could not be asked.' },
];
