/** `umbra load`. */
import { InvalidArgumentError } from 'commander';
import { defineCommand, flag, type OptionsOf, operand, repeatedFlag } from '../command-line/definition.js';
import { outputFlag } from '../command-line/flags.js';
import { duration, httpUrl, positiveInteger, text } from '../command-line/values.js';
import { isToken, parseFieldValue, parseMethod } from '../fields.js';
import { Refusal } from '../units.js';

export const load = defineCommand({
  name: 'load',
  summary: 'send load to a URL and print percentiles',
  operands: { url: operand('<url>', 'target URL', httpUrl) },
  flags: {
    rate: flag('--rate <n>', 'requests per second (default: as many as possible)', positiveInteger),
    durationMs: flag('--duration <duration>', 'how long to send', duration, 30_000, '30s'),
    connections: flag('--connections <n>', 'connections to keep open', positiveInteger, 10, '10'),
    method: flag('-X, --method <method>', 'request method (default: GET, or POST with --body)', method),
    headers: repeatedFlag(
      '-H, --header <header>',
      "add a header, for example 'x-user: 7' (repeatable)",
      header,
    ),
    host: flag('--host <name>', 'send this Host instead of that of the URL', text),
    output: outputFlag,
    body: flag('--body <file>', 'send the content of this file', text),
  },
});

function method(value: string): string {
  const parsed = parseMethod(value);
  if (parsed instanceof Refusal) throw new InvalidArgumentError('Expected a method such as PUT.');
  return parsed;
}

/** `header` returns name and value. */
function header(value: string): readonly [name: string, value: string] {
  const colon = value.indexOf(':');
  const [name, content] = [
    value.slice(0, Math.max(colon, 0)).trim(),
    parseFieldValue(value.slice(colon + 1)),
  ];
  if (!isToken(name) || content instanceof Refusal)
    throw new InvalidArgumentError("Expected a header such as 'x-user: 7'.");
  return [name, content];
}

export type LoadCommandOptions = OptionsOf<typeof load>;
