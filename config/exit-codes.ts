/** What a command ends with. */
export const exitOk = 0;
export const exitFailure = 1;
/** A verdict that is neither yes nor no. */
export const exitUndecided = 3;
/** The running umbra, or the fleet, can't be asked. */
export const exitUnreachable = 4;
/** A command or a configuration that is wrong. */
export const exitUsage = 2;
