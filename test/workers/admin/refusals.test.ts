import { connect } from 'node:net';
import { limits } from '../../../core/limits.js';
import t from '../../support/tap.js';
import { JSON_BODY, startAdmin } from './admin.js';

const MIRRORS = '/api/mirrors';
const OFF = '{"enabled":false}';

t.test(
  'a page of another site can make no work and hold no stream, and a link to the page works',
  async (t) => {
    const admin = await startAdmin(t);
    const get = async (path: string, site: string, mode = 'no-cors', dest = 'image') =>
      (
        await admin.send('GET', path, {
          headers: { 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': dest },
        })
      ).status;
    for (const path of ['/', '/metrics', '/api/stats', '/api/stream', '/dashboard/page.js']) {
      for (const site of ['cross-site', 'same-site']) t.equal(await get(path, site), 403, `${site} ${path}`);
    }
    t.equal(await get('/', 'cross-site', 'navigate', 'document'), 200, 'a link');
    t.equal(await get('/', 'cross-site', 'navigate', 'iframe'), 403, 'a frame');
    t.equal(
      await get('/api/stream', 'cross-site', 'navigate', 'document'),
      403,
      'a window that would not end',
    );
    t.equal(await get('/api/stats', 'same-origin', 'cors', 'empty'), 200, 'the page itself');
    t.equal(await get('/api/stats', 'none', 'navigate', 'document'), 200, 'the address bar');
    t.equal(admin.figures.refused.origin, 12);
  },
);

t.test('guessing at the token ends in 429, for this address and for a while', async (t) => {
  const admin = await startAdmin(t, { token: 'correct-horse' });
  const status = async (token: string) =>
    (await admin.send('GET', '/api/stats', { headers: { authorization: `Bearer ${token}` } })).status;
  for (let i = 0; i < 3; i++) t.equal((await admin.send('GET', '/api/stats')).status, 401, 'no guess');
  let guesses = 0;
  while ((await status(`guess-${guesses}`)) === 401) guesses++;
  t.ok(guesses >= limits.adminWrongTokens, `${guesses} guesses`);
  t.equal(await status('correct-horse'), 429);
  t.ok(admin.figures.refused.rate >= 2);
  t.equal((await admin.send('GET', '/healthz')).status, 200);
});

t.test('changes have a rate, and past it reading continues', async (t) => {
  const admin = await startAdmin(t);
  const wanted = 6 * limits.adminChangesPerSecond;
  const change =
    `PATCH ${MIRRORS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n` +
    `Content-Length: ${OFF.length}\r\n\r\n${OFF}`;
  const socket = connect(admin.port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  let said = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    said += text;
  });
  socket.write(change.repeat(wanted));
  // A refused request's body is not read, which may end the connection: the first refusal is enough.
  const answered = () => said.match(/HTTP\/1\.1 \d+ /g) ?? [];
  while (!said.includes('HTTP/1.1 429 ') && answered().length < wanted) await new Promise(setImmediate);
  const changed = answered().filter((line) => line === 'HTTP/1.1 200 ').length;
  t.ok(
    changed >= limits.adminChangesPerSecond && changed < wanted,
    `${changed} of ${wanted} were let through`,
  );
  t.match(said, /\r\nretry-after: 1\r\n/);
  t.equal(admin.asked.changes.length, changed);
  t.ok(admin.figures.refused.rate > 0);
  t.equal((await admin.send('GET', '/api/stats')).status, 200);
  t.equal((await admin.send('GET', '/readyz')).status, 200);
});

t.test('refusals are counted by the guard that made them', async (t) => {
  const admin = await startAdmin(t, { token: 'correct-horse' });
  await admin.send('GET', '/api/stats', { headers: { host: 'evil.example' } });
  await admin.send('GET', '/api/stats');
  await admin.send('PATCH', MIRRORS, { headers: { ...JSON_BODY, origin: 'http://evil.example' }, body: OFF });
  t.strictSame(admin.figures.refused, {
    host: 1,
    token: 1,
    origin: 1,
    rate: 0,
    connections: 0,
    bodies: 0,
    answers: 0,
    changes: 0,
  });
});
