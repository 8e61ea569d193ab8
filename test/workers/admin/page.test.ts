import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask } from '../../support/client.js';
import { Origin } from '../../support/origin.js';
import t from '../../support/tap.js';
import { reviews, UmbraProcess } from '../../support/umbra.js';
import { startAdmin } from './admin.js';

const directory = new URL('../../../../workers/dashboard/', import.meta.url);

t.test('the page and each of its files come with their type, a validator and a strict policy', async (t) => {
  const admin = await startAdmin(t);
  const paths = [
    '/',
    ...[...readdirSync(directory), 'uplot.js', 'uplot.css'].map((name) => `/dashboard/${name}`),
  ];
  const types: Record<string, RegExp> = {
    js: /^text\/javascript;/,
    css: /^text\/css;/,
    svg: /^image\/svg\+xml$/,
  };
  for (const path of paths) {
    const answer = await admin.send('GET', path);
    t.equal(answer.status, 200, path);
    t.match(answer.headers['content-type'], types[path.split('.')[1]] ?? /^text\/html;/, path);
    t.match(answer.headers, {
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
      'content-security-policy': /^default-src 'none'; script-src 'self'; .*frame-ancestors 'none'/,
    });
    t.notMatch(answer.headers['content-security-policy'], /unsafe|\*|https?:/);
    const etag = answer.headers.etag as string;
    const again = await admin.send('GET', path, { headers: { 'if-none-match': etag } });
    t.strictSame([again.status, again.body, again.headers.etag], [304, '', etag], path);
    const head = await admin.send('HEAD', path);
    t.strictSame([head.status, head.body, head.headers.etag], [200, '', etag], path);
  }
});

t.test('no file names another host, and no markup carries code or style', async (t) => {
  const admin = await startAdmin(t);
  for (const name of readdirSync(directory)) {
    const { body } = await admin.send('GET', `/dashboard/${name}`);
    const addresses = body.match(/https?:\/\/[^\s'"`)]+/g) ?? [];
    t.strictSame(
      addresses.filter((address) => address !== 'http://www.w3.org/2000/svg'),
      [],
      name,
    );
    t.notMatch(body, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(/, name);
    if (name.endsWith('.html')) t.notMatch(body, /<script>|<style|\sstyle=|\son\w+=/, name);
  }
});

t.test('only files of the page are served', async (t) => {
  const admin = await startAdmin(t);
  for (const path of [
    '/dashboard/',
    '/dashboard/nothing.js',
    '/dashboard/../admin/page.js',
    '/dashboard/..%2fadmin%2fpage.ts',
    '/dashboard/%2e%2e/page.js',
    '/dashboard/__proto__',
    '/dashboard/page.js%00',
  ]) {
    t.equal((await admin.send('GET', path)).status, 404, path);
  }
  const socket = connect(admin.port, '127.0.0.1');
  socket
    .setEncoding('latin1')
    .end('GET /dashboard/../../../package.json HTTP/1.1\r\nHost: localhost\r\n\r\n');
  let said = '';
  for await (const piece of socket) said += piece;
  t.match(said, /^HTTP\/1\.1 404 /);
});

t.test('nothing but GET and HEAD', async (t) => {
  const admin = await startAdmin(t);
  for (const path of ['/', '/dashboard/style.css']) {
    t.match(await admin.send('POST', path), { status: 405, headers: { allow: 'GET, HEAD' } });
  }
});

t.test('an installation without uPlot has no page, says why, and does everything else', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'umbra-hook-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const hook = join(directory, 'no-uplot.cjs');
  writeFileSync(
    hook,
    `const Module = require('node:module');
const resolve = Module._resolveFilename;
Module._resolveFilename = function (name, ...rest) {
  if (name.startsWith('uplot/')) throw new Error("Cannot find module '" + name + "'\\nand its stack");
  return resolve.call(this, name, ...rest);
};
`,
  );
  const v1 = await Origin.listen();
  const umbra = await UmbraProcess.start(reviews(v1.port, null), ['--require', hook]);
  t.teardown(async () => {
    await umbra.stop();
    await v1.close();
  });
  const page = await umbra.admin('GET', '/');
  t.equal(page.status, 503);
  t.equal(page.text, "the live page is not installed: Cannot find module 'uplot/dist/uPlot.esm.js'\n");
  t.equal((await umbra.admin('GET', '/dashboard/page.js')).status, 404);
  t.equal((await umbra.admin('GET', '/metrics')).status, 200);
  t.equal((await umbra.admin('GET', '/api/stats')).status, 200);
  t.equal((await ask(umbra.port)).status, 200);
});
