/** What `npm run build` made of the threads' entries. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageFile } from '../../../config/package-file.js';
import { bundleName, type Entry, entries, isCompiled } from '../../../workers/protocol/entry.js';
import t from '../../support/tap.js';

const dist = fileURLToPath(packageFile('dist'));

/** pino and what it loads, of which only its transports need a file of their own. */
const pinoPackages = [
  'pino-std-serializers',
  'pino',
  '@pinojs/redact',
  'quick-format-unescaped',
  'atomic-sleep',
  'sonic-boom',
  'on-exit-leak-free',
  'thread-stream',
  'safe-stable-stringify',
];

/** Packages whose modules are in the file of an entry. */
function packagesIn(entry: Entry): Set<string> {
  const name = `${bundleName(entry)}.${isCompiled(entry) ? 'code.cjs' : 'js'}`;
  const text = readFileSync(join(dist, 'bundle', name), 'utf8');
  return new Set(
    Array.from(text.matchAll(/^\/\/ node_modules\/((?:@[^/\n]+\/)?[^/\n]+)/gm), ([, name]) => name),
  );
}

t.test('every entry is one file, and holds no package that its thread does not need', async (t) => {
  const needed: Record<string, string[]> = {
    'main/umbra': ['commander', ...pinoPackages],
    'threads/proxy': ['ws'],
    'threads/shadow': [],
    'threads/sink': [],
  };
  for (const entry of entries) {
    const packages = packagesIn(entry);
    if (entry in needed) t.strictSame([...packages], needed[entry], entry);
  }
  const control = packagesIn('control/control');
  t.ok(control.has('hono'));
  for (const name of ['zod', 'yaml', 'ws']) t.notOk(control.has(name), `control without ${name}`);
});

t.test('only two modules look for files beside themselves: in the bundle they would find none', async (t) => {
  const looking: string[] = [];
  for (const room of ['config', 'core', 'workers']) {
    for (const name of readdirSync(join(dist, room), { recursive: true, encoding: 'utf8' })) {
      const path = join(dist, room, name);
      if (path.endsWith('.js') && /new URL\([^;]*import\.meta\.url/.test(readFileSync(path, 'utf8')))
        looking.push(relative(dist, path));
    }
  }
  t.strictSame(looking.sort(), ['config/package-file.js', 'workers/protocol/entry.js']);
});
