/**
 * The end-to-end suite once more, over the engine that an ordinary run does not take: one list, each file in a process of
 * its own. Where the two engines differ for a client stands in test/support/engines.
 */
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { engine } from '../support/umbra.js';

const files = [
  'backpressure',
  'bad-input',
  'drain',
  'drops',
  'identity',
  'primary-faults',
  'reload',
  'shadow-faults',
];

const skip = engine === 'node' && 'this run is over the node engine already';

t.jobs = 1;
for (const name of files) {
  const file = fileURLToPath(new URL(`./${name}.test.js`, import.meta.url));
  const env = { ...process.env, UMBRA_ENGINE: 'node' };
  void t.spawn(process.execPath, [file], { skip, env }, `${name}, over the node engine`);
}
