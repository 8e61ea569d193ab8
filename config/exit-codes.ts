/** Exit codes of commands. `docs/commands.md` has `exitCodes` as its table. */
export const exitOk = 0;
export const exitFailure = 1;
/** The command or the configuration is invalid. */
export const exitUsage = 2;
/** The verdict is undecided. */
export const exitUndecided = 3;
/** The running umbra, or the fleet, can't be reached. */
export const exitUnreachable = 4;

export const exitCodes: readonly { readonly code: number; readonly meaning: string }[] = [
  { code: exitOk, meaning: 'Done. A verdict is PASS.' },
  { code: exitFailure, meaning: 'The action failed or was rejected. A verdict is FAIL.' },
  {
    code: exitUsage,
    meaning:
      'The command line, the configuration or a file is invalid, or Node is too old. Nothing was started.',
  },
  { code: exitUndecided, meaning: 'A verdict is UNDECIDED: there is too little data to decide.' },
  { code: exitUnreachable, meaning: 'The running umbra, or the fleet, could not be reached.' },
];
