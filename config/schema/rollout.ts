/** `routes[].rollout`, and the settings of `umbra rollout start`: how a route moves to another version. */
import { z } from 'zod';
import { limits } from '../../core/limits.js';
import { parsePlain } from '../names.js';
import { defaultSteps, formatStep, parseSteps, type StepTimes } from '../rollout-steps.js';
import { Refusal } from '../units.js';
import {
  duration,
  form,
  integer,
  list,
  mapping,
  name,
  off,
  positiveDuration,
  share,
  text,
} from './values.js';

const stepsExpected = 'expected steps such as mirror:10m,1%:5m,25%:5m,100%';

const steps = form(
  z.union([z.string(), z.array(z.string())], { error: stepsExpected }),
  (written): readonly StepTimes[] | Refusal => parseSteps(written),
  (all): string[] => all.map(formatStep),
).meta({ kind: 'list of steps' });

const hookTimeout = positiveDuration.prefault('10s').meta({
  description: 'After this time the program is killed, or the request given up.',
});
const httpUrl = text('expected a URL such as http://127.0.0.1:9000/hook', (written) => {
  const isHttp = /^https?:$/.test(URL.parse(written)?.protocol ?? '');
  return isHttp ? written : new Refusal('expected a URL such as http://127.0.0.1:9000/hook');
});

/** Who is notified of a rollout. */
const hook = mapping({
  command: list(
    text('expected a text', parsePlain),
    'expected a program and its arguments',
    limits.hookArguments,
  )
    .optional()
    .meta({
      description:
        'A program of the directory that the environment names as UMBRA_HOOKS, and its arguments. No shell reads them. It gets the JSON on its standard input.',
    }),
  url: httpUrl.optional().meta({ description: 'A URL that gets the JSON in a POST request.' }),
  timeout: hookTimeout,
}).check((context) => {
  const { command, url } = context.value;
  if ((command === undefined) !== (url === undefined)) return;
  context.issues.push({ code: 'custom', message: 'needs one of command and url', input: context.value });
});

const bound = (written: string) =>
  z.union([off(null), share], { error: 'expected a percentage, or off' }).prefault(written);

export const rollout = mapping({
  to: name.optional().meta({ description: 'The new version. `umbra rollout start` may name another one.' }),
  steps: steps.prefault(defaultSteps).meta({
    description:
      'Shares with the least time of each: mirror copies requests to the new version, a percentage lets it answer. `5%:5m-1h` also says after which time a step that is not decided is held; without it six times the least time.',
  }),
  requests: integer(1, 1_000_000_000)
    .prefault(500)
    .meta({ description: 'Requests that the new version must get in each step.' }),
  onUndecided: z
    .enum(['hold', 'rollback', 'go-on'], { error: 'expected hold, rollback or go-on' })
    .prefault('hold')
    .meta({ description: 'What happens after the longest time of a step that is not decided.' }),
  watch: duration.prefault('30m').meta({
    description:
      'How long the old version gets copies after everything is released, so that the way back is judged too.',
  }),
  maxShift: bound('2%').meta({ description: 'How much longer requests may take; off leaves the check out.' }),
  maxP99Delta: bound('10%').meta({ description: 'How far the p99 may be above that of the old version.' }),
  maxErrorDelta: bound('0.05%').meta({
    description: 'How many percentage points the share of errors may be above that of the old version.',
  }),
  maxDiff: bound('0.1%').meta({ description: 'The share of pairs that may differ.' }),
  maxErrors: share.prefault('10%').meta({
    description:
      'The new version is rolled back at once when it surely fails more than this share of its requests.',
  }),
  pairs: z.boolean({ error: 'expected true or false' }).prefault(true).meta({
    description:
      'Copies safe requests that the new version answered to the old one, and compares them in pairs.',
  }),
  onStep: hook.optional().meta({ description: 'Runs after each step that is taken.' }),
  onRollback: hook.optional().meta({ description: 'Runs when the rollout is rolled back.' }),
  onDone: hook.optional().meta({ description: 'Runs when everything is released and watched.' }),
});

export type HookConfig = z.output<typeof hook>;
export type RolloutConfig = z.output<typeof rollout>;
