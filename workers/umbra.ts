/** The program: what `bin/umbra.js` starts. */
import { main } from '../config/command-line.js';
import { commands } from './commands/index.js';

await main(process.argv, commands);
