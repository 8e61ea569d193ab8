// Runs over one engine: takes uWS away.
/**
 * umbra where the native addon can't be loaded: a hook makes its package disappear, as on a platform that has
 * no build.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask } from '../support/client.js';
import { Origin } from '../support/origin.js';
import t from '../support/tap.js';
import { ConfigFile, reviews, runNodeToEnd, UmbraProcess } from '../support/umbra.js';

const directory = mkdtempSync(join(tmpdir(), 'umbra-hook-'));
const hook = join(directory, 'no-uws.cjs');
writeFileSync(
  hook,
  `const Module = require('node:module');
const resolve = Module._resolveFilename;
Module._resolveFilename = function (name, ...rest) {
  if (name === 'uWebSockets.js') throw new Error('there is no uWebSockets.js here');
  return resolve.call(this, name, ...rest);
};
`,
);
t.teardown(() => rmSync(directory, { recursive: true }));
const withoutUws = ['--require', hook];

function config(v1: number, engine: string): ReturnType<typeof reviews> {
  return reviews(v1, null, { umbra: { listen: [{ address: '127.0.0.1:0', engine }] } });
}

t.test('auto serves by the node engine, and does not miss the addon', async (t) => {
  const v1 = await Origin.listen();
  const umbra = await UmbraProcess.start(config(v1.port, 'auto'), withoutUws);
  t.equal((await ask(umbra.port)).status, 200);
  t.equal((await umbra.stats()).engine, 'node');
  t.notMatch(umbra.err, /uWebSockets/);
  t.strictSame(await umbra.stop(), { code: 0, signal: null });
  await v1.close();
});

t.test('uws, asked for by name, ends umbra with the cause and the cure', async (t) => {
  const file = new ConfigFile(config(1, 'uws'));
  const { code, out, err } = await runNodeToEnd(withoutUws, 'run', '-c', file.path);
  t.strictSame([code, out], [1, '']);
  t.match(err, /^umbra: uWebSockets\.js can't be used: [^\n]*`engine: node`[^\n]*\n$/);
  file.remove();
});

t.test('the demo runs', async (t) => {
  const { code, err } = await runNodeToEnd(
    withoutUws,
    'demo',
    '--for',
    '1s',
    '--port',
    '0',
    '--admin-port',
    '0',
  );
  t.equal(code, 0, err);
});
