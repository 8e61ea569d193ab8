/** `umbra record`: a proxy to one server that records the requests. */
import { defineCommand, flag, type OptionsOf, operand, toggle } from '../command-line/definition.js';
import { logFlags, logLevelOf } from '../command-line/flags.js';
import { duration, origin, percent, text } from '../command-line/values.js';

const defaults = { output: './recordings', listen: '127.0.0.1:8080', admin: '127.0.0.1:9901' };

export const record = defineCommand({
  name: 'record',
  summary: 'forward all requests to one server and record them, without a configuration',
  operands: { url: operand('<url>', 'server, for example http://127.0.0.1:9080', origin) },
  flags: {
    output: flag(
      '-o, --output <directory>',
      'directory of the recording',
      text,
      defaults.output,
      defaults.output,
    ),
    listen: flag('--listen <address>', 'address for clients', text, defaults.listen, defaults.listen),
    admin: flag(
      '--admin <address>',
      'address of the admin server, or off',
      text,
      defaults.admin,
      defaults.admin,
    ),
    responses: toggle('--responses', 'record responses too'),
    percent: flag('--percent <n>', 'record this percentage of the requests', percent, 100, '100'),
    keepSecrets: toggle('--keep-secrets', 'record secrets as they are: cookies, credentials and passwords'),
    json: toggle('--json', 'print the summary at the end as JSON'),
    forMs: flag('--for <duration>', 'stop after this time', duration),
    ...logFlags,
  },
  complete({ verbose, quiet, ...values }, misuse) {
    return { ...values, logLevel: logLevelOf({ verbose, quiet }, misuse) };
  },
});

export type RecordOptions = OptionsOf<typeof record>;
