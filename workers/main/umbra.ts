/** The program that `bin/umbra.js` starts. */
import { main } from '../../config/command-line.js';
import { actions } from '../commands/index.js';

// A reader such as `head` may close the pipe early. Any other failure of a write ends the program.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}
// Not awaited: the bundle of this file is a script, which can't.
void main(process.argv, actions);
