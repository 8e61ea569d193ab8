// Runs over one engine: weights are chosen behind the engines.
import { ask, askMany } from '../support/client.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import { Origin } from '../support/origin.js';
import t from '../support/tap.js';
import { reviews, twoProxies, UmbraProcess } from '../support/umbra.js';

async function versions(t: import('../support/tap.js').Test): Promise<Origin[]> {
  const origins = await Promise.all(
    ['v1', 'v2'].map((name) => Origin.listen((_received, response) => response.end(name))),
  );
  t.teardown(() => Promise.all(origins.map((origin) => origin.close())));
  return origins;
}

t.test(
  'weights give each user one version, measure both, and mirror what the shadow does not answer itself',
  async (t) => {
    const [v1, v2] = await versions(t);
    const umbra = await UmbraProcess.start(
      reviews(v1.port, v2.port, {
        route: { primary: { v1: 60, v2: 40 }, split: 'cookie:id' },
        umbra: { threads: twoProxies },
      }),
    );
    t.teardown(() => umbra.stop());
    const asked = (index: number) => ({ headers: { cookie: `id=${index % 100}` } });
    const answers = (await askMany(umbra.port, 400, 8, asked)).map((answer) => answer.body.toString());
    t.strictSame(answers.slice(100, 200), answers.slice(0, 100), 'the same key, the same version');
    const byV2 = answers.filter((answer) => answer === 'v2').length;
    t.ok(byV2 > 400 * 0.2 && byV2 < 400 * 0.6, `${byV2} of 400 by v2`);
    t.equal((await ask(umbra.port)).body.toString(), 'v1', 'without a key the first version answers');

    const stats = await lawHolds(t, umbra);
    t.equal(stats.versions.v1.primary?.requests, 401 - byV2);
    t.equal(stats.versions.v2.primary?.requests, byV2);
    t.equal(mirrorTo(stats, 'v2').completed, 401 - byV2);
    t.equal(v2.received.length, 401, 'v2 sees each request once, as primary or as shadow');

    const changed = await umbra.admin('PATCH', '/api/routes/reviews', { primary: { v1: 30, v2: 70 } });
    t.match(changed, { status: 200, json: { generation: 2 } });
    const later = (await askMany(umbra.port, 100, 8, asked)).map((answer) => answer.body.toString());
    t.ok(
      later.every((answer, index) => answers[index] !== 'v2' || answer === 'v2'),
      'v2 has grown and lost no user',
    );
    t.ok(later.filter((answer) => answer === 'v2').length > byV2 / 4);
    t.match((await umbra.admin('GET', '/api/config')).json, { routes: [{ primary: { v1: 30, v2: 70 } }] });
    t.match(await umbra.admin('PATCH', '/api/routes/reviews', { primary: { v9: 1 } }), {
      status: 400,
      json: { error: 'unknown version v9 (did you mean `v1`?); versions: v1, v2' },
    });
    t.match(await umbra.admin('PATCH', '/api/routes/nowhere', { primary: { v1: 1 } }), { status: 404 });
    t.match(await umbra.admin('PATCH', '/api/routes/reviews', { primary: { v1: 0, v2: 0 } }), {
      status: 400,
    });
  },
);
