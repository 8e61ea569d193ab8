/** Runs files of the end-to-end suite over the engine that an ordinary run does not take, each in a process of its own. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { served } from './engines.js';
import { runsOnce } from './suite.js';

/** Files that do this, so that none lasts too long; they take turns in the list. */
const shares = 4;
const directory = fileURLToPath(new URL('../end-to-end/', import.meta.url));
const ending = '.test.js';
const names = readdirSync(directory)
  .filter((file) => file.endsWith(ending))
  .map((file) => file.slice(0, -ending.length))
  .filter((name) => !name.startsWith('over-node-'));
const skip = served === 'node' && 'this run is over the node engine already';

/** The share with this number, from 0. */
export function runShareOverNode(share: number): void {
  t.test('what runs once is there', async (t) => {
    for (const name of Object.keys(runsOnce)) t.ok(names.includes(name), name);
  });
  t.jobs = 1;
  const mine = names.filter((name) => !(name in runsOnce)).filter((_, index) => index % shares === share);
  for (const name of mine) {
    const env = { ...process.env, UMBRA_ENGINE: 'node' };
    const file = `${directory}${name}${ending}`;
    void t.spawn(process.execPath, [file], { skip, env }, `${name}, over the node engine`);
  }
}
