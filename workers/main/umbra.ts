/** The program: what `bin/umbra.js` starts. */
import { main } from '../../config/command-line.js';
import { actions } from '../commands/index.js';

// Whoever reads may have enough before the end, as `head` does; what else goes wrong with a write is told.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}
await main(process.argv, actions);
