// Runs over one engine: documents become a plan, which knows no engine.
/**
 * The documents of config/examples/istio, applied to a running umbra between two real services as its README
 * describes.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ask } from '../support/client.js';
import { runHere } from '../support/here.js';
import { fieldOf, Origin } from '../support/origin.js';
import t from '../support/tap.js';
import { engine, runToEnd, UmbraProcess, until } from '../support/umbra.js';

const examples = new URL('../../../config/examples/istio/', import.meta.url);
const v1 = await Origin.listen();
const v2 = await Origin.listen();
const directory = t.testdir();

/** An example with the ports of this test. */
function example(name: string): string {
  return readFileSync(new URL(name, examples), 'utf8')
    .replaceAll('9080', String(v1.port))
    .replaceAll('9081', String(v2.port))
    .replace('- address: 127.0.0.1:8080', `- { address: 127.0.0.1:0, engine: ${engine} }`)
    .replace('127.0.0.1:9901', '127.0.0.1:0')
    .replace('state: state', `state: ${join(directory, 'state')}`);
}

function file(name: string): string {
  const path = join(directory, name);
  writeFileSync(path, example(name));
  return path;
}

let umbra = await UmbraProcess.start(example('umbra.yaml'));
t.teardown(async () => {
  await umbra.stop();
  await Promise.all([v1.close(), v2.close()]);
});

const run = (...words: string[]) => runHere(...words, '--admin', umbra.adminUrl);
const apply = (name: string, ...more: string[]) => run('apply', '-f', file(name), ...more);
const call = async (headers = { host: 'reviews' }) => (await ask(umbra.port, { headers })).status;

t.test('before a document is applied there is no route', async (t) => {
  t.equal(await call(), 404);
});

t.test('the document that sends all requests to v1 does so, and the access log shows v1 alone', async (t) => {
  t.strictSame(await apply('all-to-v1.yaml'), {
    code: 0,
    out: 'destinationrule/reviews created: subset v1, subset v2\nvirtualservice/reviews created: to v1\n',
    err: '',
  });
  t.equal(await call(), 200);
  await until(() => umbra.out.includes(`"reviews" "127.0.0.1:${v1.port}"`), 'the access log has the request');
  t.equal(v2.received.length, 0);
  t.notMatch(umbra.out, /reviews-shadow/);
});

t.test('every form of the name of the service is the same host, and others are not', async (t) => {
  for (const host of ['reviews:80', 'reviews.default', 'reviews.default.svc.cluster.local'])
    t.equal(await call({ host }), 200, host);
  t.equal(await call({ host: 'ratings' }), 404);
});

t.test(
  'the document that mirrors to v2 makes reviews-shadow appear at v2 and in the access log',
  async (t) => {
    const { code, out } = await apply('mirror-to-v2.yaml');
    t.equal(code, 0);
    t.equal(out, 'virtualservice/reviews configured: mirror v2 100 %\n');
    t.equal(await call(), 200);
    await until(() => v2.received.length === 1, 'v2 has the copy');
    t.equal(fieldOf(v2.received[0], 'host'), 'reviews-shadow');
    const line = `"reviews-shadow" "127.0.0.1:${v2.port}"`;
    await until(() => umbra.out.includes(line), 'the access log has the copy');
  },
);

t.test('applied once more it is unchanged', async (t) => {
  t.equal((await apply('mirror-to-v2.yaml')).out, 'virtualservice/reviews unchanged\n');
});

t.test('a dry run changes nothing, and prints what could stand in umbra.yaml', async (t) => {
  const { generation } = await umbra.stats();
  const { code, out } = await apply('mirror-a-share.yaml', '--dry-run');
  t.equal(code, 0);
  t.match(
    out,
    /^# virtualservice\/reviews configured: mirror v2 10 % \(dry run\)\nversions:\n {2}reviews_v1:\n/,
  );
  t.match(out, / {4}mirrors:\n {6}- to: reviews_v2\n {8}percent: 10\n/);
  t.equal((await umbra.stats()).generation, generation);
  const native = join(directory, 'native.yaml');
  writeFileSync(native, out);
  t.equal((await runHere('check', native)).code, 0);
});

t.test('a share is taken', async (t) => {
  t.equal((await apply('mirror-a-share.yaml')).out, 'virtualservice/reviews configured: mirror v2 10 %\n');
  const [mirror] = (await umbra.stats()).mirrors;
  t.match(mirror, { route: 'reviews', to: 'reviews_v2', percent: 10 });
});

t.test('a document that was refused changes nothing, and says why at its place', async (t) => {
  const path = join(directory, 'bad.yaml');
  writeFileSync(path, example('mirror-to-v2.yaml').replace('subset: v2', 'subset: v3'));
  const { code, err } = await run('apply', '-f', file('http-route.yaml'), '-f', path);
  t.equal(code, 1);
  t.match(
    err,
    /bad\.yaml:17:17: virtualservice\/reviews: subset `v3` of reviews\.default\.svc\.cluster\.local is unknown/,
  );
  t.match(err, /refused \(422\): the documents were rejected; nothing was changed/);
  t.equal(await call({ host: 'reviews.example.com' }), 404);
});

t.test('a stop of all mirrors lasts when a document is applied, also for its own mirrors', async (t) => {
  t.equal((await run('mirror', '--off')).code, 0);
  t.equal(
    (await apply('http-route.yaml')).out,
    'httproute/reviews created: to reviews-v1, mirror reviews-v2 100 %\n',
  );
  const { mirrors } = await umbra.stats();
  t.strictSame(
    mirrors.map(({ route, enabled }) => [route, enabled]),
    [
      ['reviews', false],
      ['httproute_reviews', false],
    ],
  );
  t.equal(await call({ host: 'reviews.example.com' }), 200);
  t.equal((await run('mirror', '--reset')).code, 0);
});

t.test('applied documents are there after a restart', async (t) => {
  await umbra.stop();
  umbra = await UmbraProcess.start(example('umbra.yaml'));
  t.equal(await call(), 200);
  t.match((await umbra.stats()).mirrors[0], { route: 'reviews', percent: 10 });
});

t.test('SIGHUP keeps them, and so does a configuration that comes through the admin API', async (t) => {
  umbra.signal('SIGHUP');
  await until(async () => (await umbra.stats()).generation === 2, 'the file is taken');
  t.equal(await call(), 200);
  const config = example('umbra.yaml').replaceAll('reviews', 'ratings');
  const answer = await umbra.admin('PUT', '/api/config', { text: config });
  t.equal(answer.status, 422);
  t.equal(await call(), 200);
});

t.test('delete takes them back, all or none', async (t) => {
  const none = await run('delete', 'virtualservice', 'reviews', 'ratings');
  t.equal(none.code, 1);
  t.match(none.err, /virtualservice\/ratings does not exist/);
  t.equal(await call(), 200);
  const { code, out } = await run('delete', 'virtualservice/reviews');
  t.equal(code, 0);
  t.equal(out, 'virtualservice/reviews deleted\n');
  t.equal(await call(), 404);
  t.equal((await run('delete', '-f', file('http-route.yaml'))).out, 'httproute/reviews deleted\n');
});

t.test('run -c DIRECTORY reads the documents beside umbra.yaml, and SIGHUP reads them again', async (t) => {
  const config = example('umbra.yaml').replace(/documents: .*\n/, '');
  const beside = await UmbraProcess.startBeside(config, { 'reviews.yaml': example('all-to-v1.yaml') });
  const asked = async () => (await ask(beside.port, { headers: { host: 'reviews' } })).status;
  t.equal(await asked(), 200);
  const refused = await runToEnd('delete', 'virtualservice/reviews', '--admin', beside.adminUrl);
  t.match(refused.err, /reviews was not applied but is in .*reviews\.yaml: remove it there/);
  const applied = await runToEnd('apply', '-f', file('mirror-to-v2.yaml'), '--admin', beside.adminUrl);
  t.equal(applied.out, 'virtualservice/reviews configured: mirror v2 100 %\n');
  t.match(applied.err, /kept until this process ends/);
  await runHere('delete', 'virtualservice/reviews', '--admin', beside.adminUrl);
  t.strictSame((await beside.admin('GET', '/api/config')).text.includes('mirrors":[]'), true);
  writeFileSync(join(beside.file.directory, 'reviews.yaml'), '# nothing\n');
  beside.signal('SIGHUP');
  await until(async () => (await asked()) === 404, 'the directory is read again');
  await beside.stop();
});

t.test('check checks the documents of a directory', async (t) => {
  const beside = t.testdir({
    'umbra.yaml': example('umbra.yaml').replace(/documents: .*\n/, ''),
    'reviews.yaml': example('mirror-to-v2.yaml'),
    'rules.yml': example('all-to-v1.yaml').split('---')[0],
    'notes.txt': 'not read',
  });
  const checked = await runHere('check', beside);
  t.equal(checked.out, `${beside}: ok (2 versions, 1 route, 1 mirror)\n`);
  writeFileSync(join(beside, 'more.yaml'), 'kind: VirtualService\n');
  const bad = await runHere('check', beside);
  t.equal(bad.code, 2);
  t.match(bad.err, /more\.yaml:1:1: the document: `apiVersion` is missing/);
});

t.test('a bundle applies with a line on what is passed over, and --strict refuses it', async (t) => {
  const bundle = join(directory, 'bundle');
  mkdirSync(bundle);
  const deployment = 'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: reviews }\n---\n';
  writeFileSync(join(bundle, 'kustomization.yaml'), 'resources: [all.yaml]\n');
  writeFileSync(join(bundle, 'all.yaml'), deployment + example('mirror-to-v2.yaml'));
  writeFileSync(join(bundle, 'other.yaml'), 'kind: Nothing\n');
  const strict = await run('apply', '-f', bundle, '--strict');
  t.equal(strict.code, 1);
  t.match(strict.err, /all\.yaml:2:7: deployment\/reviews: Deployment can't be carried out/);
  const { code, out, err } = await run('apply', '-f', bundle);
  t.equal(code, 0);
  t.equal(out, 'virtualservice/reviews created: to v1, mirror v2 100 %\n');
  t.match(err, /all\.yaml:2:7: warning: deployment\/reviews is passed over/);
  t.match(await run('delete', '-f', bundle), { code: 0, out: 'virtualservice/reviews deleted\n' });
});
