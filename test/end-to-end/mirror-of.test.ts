// Runs over one engine: copies are made behind the engines.
/** Where a copy is taken: before or after the changes that the route makes for its primary. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask } from '../support/client.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import { fieldOf, Origin } from '../support/origin.js';
import t from '../support/tap.js';
import { reviews, UmbraProcess } from '../support/umbra.js';

const route = {
  rewrite: { path: { prefix: '/reviews', to: '/v1/reviews' }, host: 'internal.example.com' },
  headers: { request: { set: { 'x-route': 'yes' }, remove: ['x-client'] } },
  match: { path: { prefix: '/reviews' } },
};
const asked = { target: '/reviews/7?page=2', headers: { host: 'public.example.com', 'x-client': 'ada' } };

t.test(
  'a copy of the forwarded request has the path, the host and the fields that the primary gets',
  async (t) => {
    const [v1, v2] = [await Origin.listen(), await Origin.listen()];
    const umbra = await UmbraProcess.start(reviews(v1.port, v2.port, { route, mirror: { of: 'forwarded' } }));
    await ask(umbra.port, asked);
    await lawHolds(t, umbra);
    const [original, copy] = [v1.received[0], v2.received[0]];
    t.strictSame([original.target, copy.target], ['/v1/reviews/7?page=2', '/v1/reviews/7?page=2']);
    t.strictSame(
      [fieldOf(original, 'host'), fieldOf(copy, 'host')],
      ['internal.example.com', 'internal.example.com-shadow'],
    );
    t.strictSame([fieldOf(copy, 'x-route'), fieldOf(copy, 'x-client')], ['yes', null]);
    await umbra.stop();
    await Promise.all([v1.close(), v2.close()]);
  },
);

t.test(
  'a copy of the original request has none of it, and its baseline has what the primary got',
  async (t) => {
    const [v1, v2] = [await Origin.listen(), await Origin.listen()];
    const mirror = { compare: { sample: '100%', baseline: 'v1' } };
    const umbra = await UmbraProcess.start(reviews(v1.port, v2.port, { route, mirror }));
    await ask(umbra.port, asked);
    await lawHolds(t, umbra);
    const [copy] = v2.received;
    t.equal(copy.target, asked.target);
    t.equal(fieldOf(copy, 'host'), 'public.example.com-shadow');
    t.strictSame([fieldOf(copy, 'x-route'), fieldOf(copy, 'x-client')], [null, 'ada']);
    t.equal(v1.received.length, 2);
    for (const { target } of v1.received) t.equal(target, '/v1/reviews/7?page=2');
    for (const received of v1.received) t.equal(fieldOf(received, 'host'), 'internal.example.com');
    await umbra.stop();
    await Promise.all([v1.close(), v2.close()]);
  },
);

t.test(
  'with weights a copy has the fields of the version that answered, and a retry makes no second one',
  async (t) => {
    let refusals = 0;
    const [v1, v2, v3] = [await Origin.listen(), await Origin.listen(), await Origin.listen()];
    v1.answer = (_received, response) => {
      response.statusCode = refusals++ % 2 === 0 ? 503 : 200;
      response.end();
    };
    const config = reviews(v1.port, v2.port, {
      mirror: { of: 'forwarded' },
      route: {
        primary: { v1: 50, v3: 50 },
        versionHeaders: {
          v1: { request: { set: { 'x-to': 'v1' } } },
          v3: { request: { set: { 'x-to': 'v3' } } },
        },
        retries: { attempts: 2, on: ['5xx'] },
      },
    });
    const versions = { ...config.versions, v3: { endpoints: `http://127.0.0.1:${v3.port}` } };
    const umbra = await UmbraProcess.start({ ...config, versions });
    const count = 30;
    for (let i = 0; i < count; i++) t.equal((await ask(umbra.port, { target: `/${i}` })).status, 200);
    const { completed } = mirrorTo(await lawHolds(t, umbra), 'v2');
    t.strictSame([completed, v2.received.length], [count, count]);
    const targetsOf = (origin: Origin) => new Set(origin.received.map(({ target }) => target));
    for (const copy of v2.received) {
      const version = fieldOf(copy, 'x-to');
      t.ok(targetsOf(version === 'v1' ? v1 : v3).has(copy.target), `${copy.target} went to ${version}`);
    }
    await umbra.stop();
    await Promise.all([v1.close(), v2.close(), v3.close()]);
  },
);

t.test('a recording may keep what the primary got', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'umbra-of-'));
  const v1 = await Origin.listen();
  const config = reviews(v1.port, null, { route });
  const mirrors = [{ to: `file:${directory}`, of: 'forwarded', recording: { compress: false } }];
  const umbra = await UmbraProcess.start({ ...config, routes: [{ ...config.routes[0], mirrors }] });
  await ask(umbra.port, asked);
  await lawHolds(t, umbra);
  await umbra.stop();
  const recorded = readdirSync(directory).map((name) => readFileSync(join(directory, name), 'latin1'));
  t.match(recorded.join(''), /GET \/v1\/reviews\/7\?page=2 HTTP\/1\.1\r\n/);
  t.match(recorded.join(''), /x-route: yes/);
  rmSync(directory, { recursive: true });
  await v1.close();
});
