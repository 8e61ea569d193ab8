#!/usr/bin/env node
import { main } from '../dist/config/command-line.js';

/** The commands load native code and start threads; --help and check must not wait for that. */
const command = (name) => async (options) => {
  const commands = await import('../dist/workers/commands/index.js');
  return commands[name](options);
};

await main(process.argv, {
  run: command('run'),
  demo: command('demo'),
  mirror: command('mirror'),
  load: command('load'),
});
