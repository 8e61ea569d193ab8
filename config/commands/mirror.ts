/** `umbra mirror`. */
import { defineCommand, flag, type OptionsOf, optionalOperand, toggle } from '../command-line/definition.js';
import { adminFlags, outputFlag } from '../command-line/flags.js';
import { percent, text } from '../command-line/values.js';

export const mirror = defineCommand({
  name: 'mirror',
  summary: 'change a mirror of a running umbra; --off without operands disables all mirrors',
  operands: {
    route: optionalOperand('[route]', 'name of the route', text),
    version: optionalOperand('[version]', 'version that receives the copies', text),
  },
  flags: {
    ...adminFlags,
    output: outputFlag,
    percent: flag('--percent <n>', 'mirror this percentage of the requests', percent),
    on: toggle('--on', 'enable the mirror'),
    off: toggle('--off', 'disable the mirror; without route and version: all mirrors'),
    reset: toggle('--reset', 'back to the configuration; without route and version: all mirrors'),
  },
  exclusive: ['percent', 'on', 'off', 'reset'],
  complete(options, misuse) {
    const { route, version, off, on, reset } = options;
    if (options.percent === null && !on && !off && !reset)
      misuse('expected one of --percent <n>, --on, --off and --reset');
    if (route !== null && version === null) misuse("missing required argument 'version'");
    if (route === null && !off && !reset) misuse("missing required arguments 'route' and 'version'");
    return options;
  },
});

/**
 * Exactly one of `percent`, `on`, `off` and `reset` is given. `route` and `version` are both null for all
 * mirrors.
 */
export type MirrorOptions = OptionsOf<typeof mirror>;
