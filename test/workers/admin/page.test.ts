import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import t from 'tap';
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
