/** umbra as it lies on a machine without Node: `bin/umbra` starts it from wherever the folder is. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { completionScript, shells } from '../config/command-line/completion.js';
import { describeCommands } from '../config/command-line/describe.js';
import { packageFile, packageVersion } from '../config/package-file.js';
import { manPage } from './man-page.js';
import { type Architecture, readNodeRelease } from './node-release.js';
import { production } from './production.js';
import { addFolder, addTree, file, type Tree } from './tree.js';

/** Where `program` puts what a system has places of its own for. */
export const share = 'share';

/** `bundle` returns what `dist/bundle` needs of the checkout, under the same paths. */
export function bundle(): Tree {
  const tree: Tree = new Map();
  addFolder(tree, 'dist/bundle', folder('dist/bundle'), isPacked);
  addFolder(tree, 'workers/dashboard', folder('workers/dashboard'), () => true);
  for (const path of ['bin/umbra.js', 'config/schema.json', 'LICENSE']) {
    tree.set(path, file(readFileSync(packageFile(path)), path === 'bin/umbra.js'));
  }
  return tree;
}

/** Compiled code is that of the Node which built it, and artefacts carry another or none. */
function isPacked(path: string): boolean {
  return /\.(js|cjs|json)$/.test(path);
}

export function program(architecture: Architecture, timeS: number): Tree {
  const tree = bundle();
  for (const [path, entry] of production(architecture)) tree.set(path, entry);
  const { binary, license } = readNodeRelease(architecture);
  tree.set('lib/node', file(binary, true));
  tree.set('lib/LICENSE-node', file(license));
  tree.set('bin/umbra', file(systemFile('launcher.sh'), true));
  tree.set('umbra.yaml', file(systemFile('umbra.yaml')));
  // What umbra reads of it: its version, and that its files are modules.
  const manifest = { name: 'umbra', version: packageVersion(), type: 'module' };
  tree.set('package.json', file(`${JSON.stringify(manifest, null, 2)}\n`));
  const commands = describeCommands();
  addTree(tree, `${share}/doc/umbra`, pages());
  tree.set(`${share}/man/umbra.1`, file(manPage(commands, packageVersion(), timeS)));
  for (const shell of shells) {
    tree.set(`${share}/completion/umbra.${shell}`, file(completionScript(shell, commands)));
  }
  return tree;
}

/** `pages` returns the documentation and the examples that it names, under the paths of the checkout. */
export function pages(): Tree {
  const tree: Tree = new Map();
  addFolder(tree, 'docs', folder('docs'), (path) => !path.startsWith('images/'));
  addFolder(tree, 'config/examples', folder('config/examples'), () => true);
  for (const path of ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md'])
    tree.set(path, file(readFileSync(packageFile(path))));
  return tree;
}

/** `systemFile` returns a file of `packaging/system`. */
export function systemFile(name: string): Buffer {
  return readFileSync(packageFile(`packaging/system/${name}`));
}

function folder(path: string): string {
  return fileURLToPath(packageFile(path));
}
