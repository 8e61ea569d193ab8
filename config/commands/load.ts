/** `umbra load`. */
import { defineCommand, flag, type OptionsOf, operand } from '../command-line/definition.js';
import { duration, httpUrl, positiveInteger, text } from '../command-line/values.js';

export const load = defineCommand({
  name: 'load',
  summary: 'send load to a URL and print percentiles',
  operands: { url: operand('<url>', 'target URL', httpUrl) },
  flags: {
    rate: flag('--rate <n>', 'requests per second (default: as many as possible)', positiveInteger),
    durationMs: flag('--duration <duration>', 'how long to send', duration, 30_000, '30s'),
    connections: flag('--connections <n>', 'connections to keep open', positiveInteger, 10, '10'),
    body: flag('--body <file>', 'send the content of this file with POST', text),
  },
});

export type LoadCommandOptions = OptionsOf<typeof load>;
