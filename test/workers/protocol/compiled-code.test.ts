/** What `npm run build` kept of the code that V8 compiled. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';
import { packageFile } from '../../../config/package-file.js';
import { compiledFileOf, scriptOf } from '../../../workers/protocol/compiled-script.js';
import { bundleName, entries, isCompiled } from '../../../workers/protocol/entry.js';
import t from '../../support/tap.js';

const bundle = fileURLToPath(packageFile('dist/bundle'));

t.test('V8 accepts the compiled code of the process and of each of its threads', async (t) => {
  for (const entry of entries.filter(isCompiled)) {
    const file = join(bundle, `${bundleName(entry)}.code.cjs`);
    const cachedData = readFileSync(compiledFileOf(file));
    const script = new vm.Script(scriptOf(readFileSync(file, 'utf8')), { filename: file, cachedData });
    t.equal(script.cachedDataRejected, false, entry);
  }
});

for (const [name, spoil] of [
  ['damaged', (text: Buffer) => text.subarray(0, 1000)],
  ['of another version of V8', (text: Buffer) => Buffer.from(text).fill(0, 4, 8)],
] as const) {
  t.test(`umbra starts where the compiled code is ${name}`, async (t) => {
    const root = t.testdir({});
    mkdirSync(join(root, 'dist'));
    for (const path of ['bin', 'config', 'workers', 'package.json', 'node_modules'])
      symlinkSync(fileURLToPath(packageFile(path)), join(root, path));
    cpSync(bundle, join(root, 'dist/bundle'), { recursive: true });
    const compiled = readdirSync(join(root, 'dist/bundle')).filter((file) => file.includes(process.version));
    t.ok(compiled.length > 0);
    for (const file of compiled) {
      const path = join(root, 'dist/bundle', file);
      writeFileSync(path, spoil(readFileSync(path)));
    }
    const config = {
      listen: [{ address: '127.0.0.1:0', engine: 'node' }],
      versions: { v1: 'http://127.0.0.1:1' },
      routes: [{ primary: 'v1' }],
    };
    writeFileSync(join(root, 'umbra.yaml'), JSON.stringify(config));
    // Links are kept, so that the copy is what runs.
    const words = ['--preserve-symlinks', '--preserve-symlinks-main', 'bin/umbra.js', 'run'];
    const umbra = spawn(process.execPath, words, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(umbra.stdout, 'data');
    t.match(String(line), /^umbra ready /);
    umbra.kill();
    const [code] = await once(umbra, 'exit');
    t.equal(code, 0);
  });
}
