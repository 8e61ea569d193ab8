/** What a command ends with. */
export const exitOk = 0;
export const exitFailure = 1;
/** A command or a configuration that is wrong. */
export const exitUsage = 2;
