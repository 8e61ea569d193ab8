import { execFile } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { limits } from '../../../../core/limits.js';
import { rewriteForOlderGlibc } from '../../../../workers/downstream/uws/glibc.js';
import { loadUws, prepareOlderGlibcCopy } from '../../../../workers/downstream/uws/load.js';
import t, { type Test } from '../../../support/tap.js';

const name = 'uws_linux_x64_115.node';
const copyName = 'uws_linux_x64_115.older-glibc.node';
const installed = join(dirname(createRequire(import.meta.url).resolve('uWebSockets.js')), name);

function directoryWithAddon(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'umbra-'));
  t.teardown(() => {
    chmodSync(directory, 0o755);
    rmSync(directory, { recursive: true });
  });
  copyFileSync(installed, join(directory, name));
  return directory;
}

t.test('loading yields the addon, or says why not and what to do', async (t) => {
  const loading = loadUws();
  t.equal(process.env.UWS_HTTP_MAX_HEADERS_SIZE, String(limits.requestHeadBytes));
  if (loading.kind === 'loaded') {
    t.type(loading.uws.App, 'function');
    const again = loadUws();
    t.equal(again.kind === 'loaded' && again.uws, loading.uws);
  } else {
    t.comment(`# uWS can't be loaded here: ${loading.reason}`);
    t.match(loading, { reason: /./, cure: /\.$/ });
  }
});

t.test('every pinned file is the installed one and can be rewritten', async (t) => {
  const directory = directoryWithAddon(t);
  for (const arch of ['x64', 'arm64']) {
    for (const abi of [115, 127, 137, 141]) {
      const file = `uws_linux_${arch}_${abi}.node`;
      copyFileSync(join(dirname(installed), file), join(directory, file));
      const copy = join(directory, file.replace('.node', '.older-glibc.node'));
      t.equal(prepareOlderGlibcCopy(directory, file), copy);
      const { ino } = statSync(copy);
      t.equal(prepareOlderGlibcCopy(directory, file), copy);
      t.equal(statSync(copy).ino, ino, 'a copy with the pinned digest is taken as it is');
    }
  }
});

t.test('a file of another hash is not rewritten', async (t) => {
  const directory = directoryWithAddon(t);
  const bytes = readFileSync(installed);
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(join(directory, name), bytes);
  t.match(prepareOlderGlibcCopy(directory, name), {
    kind: 'unavailable',
    reason: /its SHA-256 [0-9a-f]{64} is not one that may be rewritten$/,
    cure: /engine: node/,
  });
  t.same(readdirSync(directory), [name]);
  t.match(prepareOlderGlibcCopy(directory, 'uws_linux_x64_999.node'), {
    kind: 'unavailable',
    reason: /ENOENT/,
  });
});

t.test('a copy that is not what the rewrite yields is replaced', async (t) => {
  const directory = directoryWithAddon(t);
  writeFileSync(join(directory, copyName), 'half a file');
  t.equal(prepareOlderGlibcCopy(directory, name), join(directory, copyName));
  t.ok(readFileSync(join(directory, copyName)).equals(rewriteForOlderGlibc(readFileSync(installed))));
});

t.test('processes that race for the copy all get it whole, and leave nothing else', async (t) => {
  const directory = directoryWithAddon(t);
  const module = new URL('../../../../workers/downstream/uws/load.js', import.meta.url).href;
  const script = `const { prepareOlderGlibcCopy } = await import(${JSON.stringify(module)});
    console.log(prepareOlderGlibcCopy(...${JSON.stringify([directory, name])}));`;
  const racers = Array.from({ length: 4 }, () =>
    promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      env: { PATH: process.env.PATH },
    }),
  );
  for (const { stdout } of await Promise.all(racers)) t.equal(stdout.trim(), join(directory, copyName));
  t.same(readdirSync(directory).sort(), [name, copyName].sort());
  t.ok(readFileSync(join(directory, copyName)).equals(rewriteForOlderGlibc(readFileSync(installed))));
});

const isRoot = process.getuid?.() === 0;
t.test(
  'a directory that can’t be written is named, unless the copy is there',
  { skip: isRoot || process.platform === 'win32' ? 'this user may write anywhere' : false },
  async (t) => {
    const directory = directoryWithAddon(t);
    chmodSync(directory, 0o555);
    t.match(prepareOlderGlibcCopy(directory, name), {
      kind: 'unavailable',
      reason: /can't be written: .*EACCES/,
      cure: /^Start umbra once as a user who may write there/,
    });
    chmodSync(directory, 0o755);
    prepareOlderGlibcCopy(directory, name);
    chmodSync(directory, 0o555);
    t.equal(prepareOlderGlibcCopy(directory, name), join(directory, copyName));
  },
);
