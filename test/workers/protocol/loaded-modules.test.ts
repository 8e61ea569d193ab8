import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from '../../support/tap.js';

const dist = fileURLToPath(new URL('../../../', import.meta.url));
const staticImports = /^(?:import|export)\s[^'"]*?from\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]/gm;

/** Names of the packages that a module loads as it starts, by itself or through others. */
function packagesOf(module: string): Set<string> {
  const packages = new Set<string>();
  const seen = new Set<string>();
  const open = [resolve(dist, module)];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    for (const [, from, bare] of readFileSync(file, 'utf8').matchAll(staticImports)) {
      const name = from ?? bare;
      if (!name.startsWith('.')) packages.add(name);
      else open.push(resolve(dirname(file), name));
    }
  }
  return packages;
}

t.test(
  'what a thread loads at its start is no more than it needs, because all of it stays in memory',
  async (t) => {
    const reads = packagesOf('workers/threads/loader.js');
    t.ok(reads.has('zod') && reads.has('yaml'), 'the loader, which ends, reads configurations');
    for (const module of [
      'workers/commands/run.js',
      'config/command-line.js',
      'workers/control/control.js',
    ]) {
      t.ok(existsSync(resolve(dist, module)));
      const loaded = packagesOf(module);
      for (const name of ['zod', 'yaml', 'ws']) t.notOk(loaded.has(name), `${module} does not load ${name}`);
    }
    const dataPlane = ['workers/threads/proxy.js', 'workers/threads/shadow.js', 'workers/threads/sink.js'];
    for (const module of dataPlane) {
      const loaded = [...packagesOf(module)].filter((name) => !name.startsWith('node:') && name !== 'ws');
      t.strictSame(loaded, [], `${module} loads nothing but umbra, Node and the framing of WebSockets`);
    }
  },
);
