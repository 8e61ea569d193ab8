import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Diffs } from '../../core/compare/diff-book.js';
import { ask } from '../support/client.js';
import { type Answer, Origin } from '../support/origin.js';
import { reviews, runToEnd, UmbraProcess, until } from '../support/umbra.js';

const requests = 800;
const connections = 8;
const slowMs = 5;
/** Latencies are not what is tested here: the machine may be busy. */
const p99 = ['--min-samples', '500', '--max-p99-delta', '100000%'];
const loose = [...p99, '--max-error-delta', '1%', '--max-diff', '1%'];
const strict = [...p99, '--max-error-delta', '0.2%', '--max-diff', '0.2%'];

const ok: Answer = (_, response) => response.end('ok\n');

/** An umbra between two versions, after `requests` requests that were all mirrored. */
async function afterLoad(
  t: Test,
  v2: Answer,
  { v1 = ok, mirror = {}, umbra = {} }: { v1?: Answer; mirror?: object; umbra?: object } = {},
): Promise<UmbraProcess> {
  const first = await Origin.listen(v1);
  const second = await Origin.listen(v2);
  t.teardown(() => Promise.all([first.close(), second.close()]));
  const process = await UmbraProcess.start(
    reviews(first.port, second.port, {
      mirror: { inFlight: 4096, ...mirror },
      umbra: { threads: { proxy: 1, shadow: 1 }, ...umbra },
    }),
  );
  t.teardown(() => process.stop());
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  t.teardown(() => agent.destroy());
  const work = async (): Promise<void> => {
    for (let i = 0; i < requests / connections; i++) await ask(process.port, { agent, target: '/reviews' });
  };
  await Promise.all(Array.from({ length: connections }, work));
  await process.atRest();
  return process;
}

t.test('two versions that do the same pass, and the report names no difference', async (t) => {
  const umbra = await afterLoad(t, ok);
  const { code, out, err } = await runToEnd('verdict', '--admin', umbra.adminUrl, ...loose);
  t.equal(code, 0, out + err);
  t.match(out, /^PASS /);
  t.match(out, /PASS +p99 .*\n.*PASS +errors .*\n.*PASS +differences/);
  const few = await runToEnd('verdict', '--admin', umbra.adminUrl, '--min-samples', '100000');
  t.equal(few.code, 3, few.out);
  t.match(few.out, /^TOO LITTLE DATA /);
});

t.test(
  'a version that fails one request in a hundred and is slower fails, with the lines that say so',
  async (t) => {
    let count = 0;
    const hlog = join(t.testdir(), 'hlog');
    const umbra = await afterLoad(
      t,
      (_, response) => {
        const status = ++count % 100 === 0 ? 500 : 200;
        setTimeout(() => response.writeHead(status).end('ok\n'), slowMs);
      },
      { umbra: { histograms: { directory: hlog, interval: '1s' } } },
    );
    const { code, out, err } = await runToEnd('verdict', '--admin', umbra.adminUrl, ...strict);
    t.equal(code, 1, out + err);
    t.match(out, /^FAIL /);
    t.match(out, /^ +[A-Z ]+ p99 +\d/m);
    t.match(out, /FAIL +errors +0 % \(800\) to 1 % \(800\)/);
    t.match(out, /FAIL +differences +1 % of 800 pairs/);

    const text = await runToEnd('report', '--admin', umbra.adminUrl, '-o', '-');
    t.equal(text.code, 0, text.err);
    t.match(text.out, /5xx +0 +8 +\+8/);
    t.match(text.out, /none unaccounted for/);
    const page = join(hlog, 'report.html');
    t.equal((await runToEnd('report', '--admin', umbra.adminUrl, '-o', page)).code, 0);
    t.match(readFileSync(page, 'utf8'), /<path class="line line1 dashed"/);

    const top = await runToEnd('top', '--admin', umbra.adminUrl);
    t.equal(top.code, 0, top.err);
    t.match(top.out, /^VERSION +REQ\/S/m);
    t.notMatch(top.out, '\x1b');

    await umbra.stop();
    const files = ['v1.primary.hlog', 'v2.shadow.hlog'].map((name) => join(hlog, name));
    const logs = await runToEnd('report', '--hlog', ...files, '-o', '-');
    t.equal(logs.code, 0, logs.err);
    t.equal(logs.err, '');
    t.match(logs.out, /v1 primary +800/);
    t.match(logs.out, /v2 shadow +800/);
  },
);

/** Answers in JSON with a field that never repeats; `price` and `fields` are the version's own. */
function priced(price: number, fields: Record<string, string> = {}): Answer {
  return (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', ...fields });
    response.end(JSON.stringify({ price, nonce: Math.random() }));
  };
}

const mirror = { compare: { sample: '100%', baseline: 'v1' } };

async function untilCompared(umbra: UmbraProcess): Promise<void> {
  await until(async () => {
    const { mirrors } = (await umbra.admin('GET', '/api/diffs')).json as Diffs;
    return mirrors[0]?.compared === requests && mirrors[0].baseline?.compared === requests;
  }, 'every pair is compared, of the baseline too');
}

t.test('a field that is random in both versions is named as noise, and the verdict passes', async (t) => {
  const umbra = await afterLoad(t, priced(1), { v1: priced(1), mirror });
  await untilCompared(umbra);
  const { code, out, err } = await runToEnd('verdict', '--admin', umbra.adminUrl, ...loose);
  t.equal(code, 0, out + err);
  const report = await runToEnd('report', '--admin', umbra.adminUrl, '-o', '-');
  t.match(report.out, /json \$\.nonce value: 800 of 800, noise/);
});

t.test(
  'beside the noise, the report names the field and the header that differ, and the verdict fails',
  async (t) => {
    const umbra = await afterLoad(t, priced(2, { 'x-build': 'v2' }), {
      v1: priced(1, { 'x-build': 'v1' }),
      mirror,
    });
    await untilCompared(umbra);
    const { code, out } = await runToEnd('verdict', '--admin', umbra.adminUrl, ...loose);
    t.equal(code, 1, out);
    t.match(out, /FAIL +differences/);
    const report = await runToEnd('report', '--admin', umbra.adminUrl, '-o', '-');
    t.match(report.out, /reviews v2, GET \/reviews\n/);
    const named = [...report.out.matchAll(/^ +(\w+ \S+ value): 800 of 800(, \w+)/gm)];
    t.same(named.map(([, what, judged]) => `${what}${judged}`).sort(), [
      'header x-build value, different',
      'json $.nonce value, noise',
      'json $.price value, different',
    ]);
  },
);

t.test('a verdict for a time to come knows nothing of what was before', async (t) => {
  let bad = true;
  const umbra = await afterLoad(t, (_, response) => response.writeHead(bad ? 500 : 200).end('ok\n'));
  const whole = await runToEnd('verdict', '--admin', umbra.adminUrl, ...loose);
  t.equal(whole.code, 1, whole.out);
  bad = false;
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  t.teardown(() => agent.destroy());
  let over = false;
  const work = async (): Promise<void> => {
    while (!over) await ask(umbra.port, { agent, target: '/reviews' });
  };
  const load = Promise.all(Array.from({ length: connections }, work));
  const { code, out, err } = await runToEnd('verdict', '--admin', umbra.adminUrl, '--for', '2s', ...loose);
  over = true;
  await load;
  t.equal(code, 0, out + err);
  t.match(err, /^watching for 2 s$/m);
  t.match(out, /^PASS .*, the window watched: \d/);
  t.match(out, /PASS +errors +0 % \(\d+\) to 0 % /);
});

t.test('an umbra that is not there, and files that are none, are one clear line each', async (t) => {
  for (const words of [['verdict'], ['report'], ['top']]) {
    const { code, out, err } = await runToEnd(...words, '--admin', 'http://127.0.0.1:65533');
    t.equal(code, 1);
    t.equal(out, '');
    t.match(
      err,
      new RegExp(`^umbra ${words[0]}: cannot reach umbra at http://127.0.0.1:65533: ECONNREFUSED\n$`),
    );
  }
  const directory = t.testdir({ 'other.txt': 'hello\n' });
  const { code, err } = await runToEnd('report', '--hlog', join(directory, 'other.txt'), '-o', '-');
  t.equal(code, 1);
  t.match(err, /other\.txt:1: not a line of a histogram log/);
  t.match(err, /there is nothing to report/);
  const gone = await runToEnd('report', '--hlog', join(directory, 'none'), '-o', '-');
  t.equal(gone.code, 1);
  t.match(gone.err, /can't read .*none: ENOENT/);
  t.equal((await runToEnd('verdict', '--max-diff', 'much')).code, 2);
});
