/**
 * The end-to-end suite once more, over the engine that an ordinary run does not take: each file in a process of its own.
 */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { served } from '../support/engines.js';
import { runsOnce } from '../support/suite.js';

const directory = fileURLToPath(new URL('.', import.meta.url));
const ending = '.test.js';
const names = readdirSync(directory)
  .filter((file) => file.endsWith(ending))
  .map((file) => file.slice(0, -ending.length));
const skip = served === 'node' && 'this run is over the node engine already';

t.test('what runs once is there', async (t) => {
  for (const name of Object.keys(runsOnce)) t.ok(names.includes(name), name);
});

t.jobs = 1;
for (const name of names.filter((name) => !(name in runsOnce))) {
  const env = { ...process.env, UMBRA_ENGINE: 'node' };
  const file = `${directory}${name}${ending}`;
  void t.spawn(process.execPath, [file], { skip, env }, `${name}, over the node engine`);
}
