/** `umbra demo`. */
import { defineCommand, flag, type OptionsOf, toggle } from '../command-line/definition.js';
import { duration, port, positiveInteger } from '../command-line/values.js';

export const demo = defineCommand({
  name: 'demo',
  summary: 'run two small services with a mirror between them under light load',
  flags: {
    forMs: flag('--for <duration>', 'stop after this time and print the comparison', duration),
    rate: flag('--rate <n>', 'requests per second', positiveInteger, 5, '5'),
    port: flag('--port <n>', 'port of the proxy', port),
    adminPort: flag('--admin-port <n>', 'port of the admin server and its page', port),
    open: toggle('--open', 'open the page in a browser'),
  },
});

export type DemoOptions = OptionsOf<typeof demo>;
