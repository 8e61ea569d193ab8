/** The package for npm: `npm install umbra-VERSION.tgz`, or `npm publish umbra-VERSION.tgz`. */
import { readFileSync } from 'node:fs';
import { packageFile } from '../config/package-file.js';
import { externals } from './production.js';
import { bundle, pages } from './program.js';
import { addTree, file, type Tree } from './tree.js';

/** Fields of package.json that are the same for whoever installs umbra. */
const kept = ['name', 'version', 'description', 'license', 'type', 'engines', 'bin'] as const;

export function npmPackage(): Tree {
  const tree = bundle();
  addTree(tree, '', pages());
  const checkout = JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as Record<string, unknown>;
  const manifest = {
    ...Object.fromEntries(kept.map((name) => [name, checkout[name]])),
    // All others are in the bundle.
    dependencies: externals('dependencies'),
    optionalDependencies: externals('optionalDependencies'),
  };
  tree.set('package.json', file(`${JSON.stringify(manifest, null, 2)}\n`));
  return tree;
}
