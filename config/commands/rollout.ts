/** `umbra rollout`. */
import {
  defineCommand,
  flag,
  type OptionsOf,
  operand,
  optionalOperand,
  toggle,
} from '../command-line/definition.js';
import { adminFlags, outputFlag } from '../command-line/flags.js';
import { durationOrZero, oneOf, positiveInteger, text } from '../command-line/values.js';

/** What is done to a rollout that runs. */
const changes = ['pause', 'resume', 'promote', 'abort'] as const;
const actions = ['start', 'status', ...changes, 'history'] as const;

export const rollout = defineCommand({
  name: 'rollout',
  summary:
    'release a version step by step, each judged, and back by itself: start ROUTE VERSION, status, abort ROUTE',
  operands: {
    action: operand('<action>', actions.join(', '), oneOf(...actions)),
    route: optionalOperand('[route]', 'name of the route; status and history without it show all', text),
    version: optionalOperand(
      '[version]',
      'start: the new version (default: that of `routes[].rollout`)',
      text,
    ),
  },
  flags: {
    ...adminFlags,
    file: flag(
      '-f, --file <file>',
      'start: settings as in `routes[].rollout`, YAML or JSON; - is standard input',
      text,
    ),
    steps: flag('--steps <steps>', 'start: such as mirror:10m,1%:5m,25%:5m-1h,100%', text),
    requests: flag(
      '--requests <n>',
      'start: requests that the new version must get in each step',
      positiveInteger,
    ),
    watch: flag(
      '--watch <duration>',
      'start: how long the old version gets copies after everything is released (0s: not at all)',
      durationOrZero,
    ),
    onUndecided: flag(
      '--on-undecided <what>',
      'start: hold, rollback or go-on, after the longest time of a step',
      oneOf('hold', 'rollback', 'go-on'),
    ),
    wait: toggle('--wait', 'stay until it is released (exit code 0), rolled back (1) or held (3)'),
    full: toggle('--full', 'promote: release everything now'),
    reason: flag('--reason <text>', 'pause, resume, promote, abort: why, for the history', text),
    output: outputFlag,
  },
  complete(options, misuse) {
    const { action, route, version, wait, full, reason } = options;
    const isStart = action === 'start';
    const isChange = changes.some((one) => one === action);
    if (route === null && (isStart || isChange)) misuse("missing required argument 'route'");
    if (version !== null && !isStart) misuse(`${action} takes a route alone`);
    const { file, steps, requests, watch, onUndecided } = options;
    if (!isStart && [file, steps, requests, watch, onUndecided].some((value) => value !== null))
      misuse(`-f, --steps, --requests, --watch and --on-undecided are for start, not for ${action}`);
    if (wait && (action === 'history' || (action === 'status' && route === null)))
      misuse('--wait needs one rollout: start, or status with a route');
    if (full && action !== 'promote') misuse('--full is for promote');
    if (reason !== null && !isChange) misuse('--reason is for pause, resume, promote and abort');
    return options;
  },
});

export type RolloutOptions = OptionsOf<typeof rollout>;
