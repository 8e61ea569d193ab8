// Runs over one engine: the admin server and its reports have no engine.
import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import type { Diffs } from '../../core/compare/diff-book.js';
import { ask } from '../support/client.js';
import { runHere } from '../support/here.js';
import { type Answer, Origin } from '../support/origin.js';
import t, { type Test } from '../support/tap.js';
import { reviews, runToEnd, UmbraProcess, until } from '../support/umbra.js';

const requests = 800;
const connections = 8;
const slowMs = 5;
/** Latencies are not what is tested here: the machine may be busy. */
const anyLatency = ['--min-samples', '500', '--max-p99-delta', 'off', '--max-shift', 'off'];
const loose = [...anyLatency, '--max-error-delta', '1%', '--max-diff', '1%'];

/** The words of one check's line in the text of a verdict. */
const line = (out: string, name: string): string =>
  new RegExp(`^ +([A-Z]+) +${name} .*$`, 'm').exec(out)?.[0] ?? '';

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

t.test('a version that fails one request in fifty fails, with one sentence for each check', async (t) => {
  let count = 0;
  const hlog = join(t.testdir(), 'hlog');
  const umbra = await afterLoad(
    t,
    (_, response) => {
      const status = ++count % 50 === 0 ? 500 : 200;
      setTimeout(() => response.writeHead(status).end('ok\n'), slowMs);
    },
    { umbra: { histograms: { directory: hlog, interval: '1s' } } },
  );
  const words = [...anyLatency, '--max-error-delta', '0.2%', '--max-diff', '1%'];
  const { code, out, err } = await runHere('verdict', '--admin', umbra.adminUrl, ...words);
  t.equal(code, 1, out + err);
  t.match(out, /^FAIL /);
  t.match(line(out, 'errors'), /FAIL .* v2 failed 16 of 800 requests and v1 0: \+2 % points, between /);
  t.match(
    line(out, 'status'),
    /PASS .* 0 of 784 pairs/,
    'an error is not counted once more as another status',
  );
  t.match(line(out, 'differences'), /PASS/);
  const few = await runHere('verdict', '--admin', umbra.adminUrl, '--min-samples', '100000');
  t.equal(few.code, 3, few.out);
  t.match(few.out, /^UNDECIDED /);
  t.match(line(few.out, 'errors'), /undecided: there are fewer pairs than --min-samples/);
  const json = await runHere('verdict', '--admin', umbra.adminUrl, ...words, '--output', 'json');
  t.equal(json.code, 1);
  t.match(JSON.parse(json.out), {
    outcome: 'fail',
    mirrors: [{ checks: [{ name: 'errors', outcome: 'fail' }] }],
  });
  const xml = await runHere('verdict', '--admin', umbra.adminUrl, ...words, '--output', 'junit');
  t.match(xml.out, /<testcase [^>]*name="errors"><failure message="v2 failed 16 of 800/);
  const plan = await runHere('verdict', '--admin', umbra.adminUrl, '--plan');
  t.equal(plan.code, 0, plan.err);
  t.match(plan.out, /^ {2}errors +[\d ]+ pairs/m);

  const text = await runHere('report', '--admin', umbra.adminUrl, '-o', '-');
  t.equal(text.code, 0, text.err);
  t.match(text.out, /5xx +0 +16 +\+16/);
  t.match(text.out, /none unaccounted for/);
  const page = join(hlog, 'report.html');
  const written = await runHere('report', '--admin', umbra.adminUrl, '-o', page);
  t.equal(written.code, 0, written.err);
  t.match(readFileSync(page, 'utf8'), /<path class="line c\d+ dashed"/);

  const top = await runToEnd('top', '--admin', umbra.adminUrl);
  t.equal(top.code, 0, top.err);
  t.match(top.out, /^VERSION +REQ\/S/m);
  t.notMatch(top.out, '\x1b');

  await umbra.stop();
  const files = ['v1.primary.hlog', 'v2.shadow.hlog'].map((name) => join(hlog, name));
  const logs = await runHere('report', '--hlog', ...files, '-o', '-');
  t.equal(logs.code, 0, logs.err);
  t.equal(logs.err, '');
  t.match(logs.out, /v1 primary +800/);
  t.match(logs.out, /v2 shadow +800/);
});

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

t.test('a field that is random in both versions is named as noise, and differences pass', async (t) => {
  const umbra = await afterLoad(t, priced(1), { v1: priced(1), mirror });
  await untilCompared(umbra);
  const { out } = await runHere('verdict', '--admin', umbra.adminUrl, ...loose);
  t.match(line(out, 'differences'), /PASS .* beyond noise/);
  t.match(out, /note +learned as noise: GET \/reviews json \$\.nonce/);
  const report = await runHere('report', '--admin', umbra.adminUrl, '-o', '-');
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
    const { code, out } = await runHere('verdict', '--admin', umbra.adminUrl, ...loose);
    t.equal(code, 1, out);
    t.match(line(out, 'differences'), /FAIL/);
    t.match(out, /example +GET \/reviews \(id [^)]+\), json \$\.price value: v1 1 \| v2 2/);
    const report = await runHere('report', '--admin', umbra.adminUrl, '-o', '-');
    t.match(report.out, /reviews v2, GET \/reviews\n/);
    const named = [...report.out.matchAll(/^ +(\w+ \S+ value): 800 of 800(, \w+)/gm)];
    t.same(named.map(([, what, judged]) => `${what}${judged}`).sort(), [
      'header x-build value, different',
      'json $.nonce value, noise',
      'json $.price value, different',
    ]);
  },
);

t.test(
  'a verdict for a time to come knows nothing of what was before, and may stop when it is certain',
  async (t) => {
    let bad = true;
    const umbra = await afterLoad(t, (_, response) => response.writeHead(bad ? 500 : 200).end('ok\n'));
    const whole = await runHere('verdict', '--admin', umbra.adminUrl, ...loose);
    t.equal(whole.code, 1, whole.out);
    const empty = await runHere('verdict', '--admin', umbra.adminUrl, '--for', '1s', ...loose);
    t.equal(empty.code, 3, 'nothing came in the window');
    t.notMatch(empty.out, /NaN|Infinity/);
    bad = false;
    const agent = new Agent({ keepAlive: true, maxSockets: connections });
    t.teardown(() => agent.destroy());
    let over = false;
    const work = async (): Promise<void> => {
      while (!over) await ask(umbra.port, { agent, target: '/reviews' });
    };
    const load = Promise.all(Array.from({ length: connections }, work));
    const { code, out, err } = await runHere('verdict', '--admin', umbra.adminUrl, '--for', '2s', ...loose);
    t.equal(code, 0, out + err);
    t.match(err, /^watching for 2 s$/m);
    t.match(out, /^PASS .*, the window watched: \d/);
    t.match(line(out, 'errors'), /PASS .* v2 failed 0 of/);
    const good = await runHere('verdict', '--admin', umbra.adminUrl, '--until-decided', ...loose);
    t.equal(good.code, 0, good.out + good.err);
    bad = true;
    const decided = await runHere('verdict', '--admin', umbra.adminUrl, '--until-decided', ...loose);
    t.equal(decided.code, 1, decided.out + decided.err);
    t.match(decided.out, 'for any number of looks');
    const running = await until(async () => {
      const { verdict } = (await umbra.stats()).mirrors[0];
      return verdict?.outcome === 'fail' && verdict;
    }, 'the running verdict fails');
    t.match(running, { shadow: 'v2', checks: [{ name: 'errors', outcome: 'fail' }] });
    over = true;
    await load;
  },
);

t.test('an umbra that is not there, and files that are none, are one clear line each', async (t) => {
  for (const words of [['verdict'], ['report'], ['top']]) {
    const { code, out, err } = await runToEnd(...words, '--admin', 'http://127.0.0.1:65533');
    t.equal(code, 4);
    t.equal(out, '');
    t.match(
      err,
      new RegExp(`^umbra ${words[0]}: cannot reach umbra at http://127.0.0.1:65533: ECONNREFUSED\n$`),
    );
  }
  const directory = t.testdir({ 'other.txt': 'hello\n' });
  const { code, err } = await runHere('report', '--hlog', join(directory, 'other.txt'), '-o', '-');
  t.equal(code, 1);
  t.match(err, /other\.txt:1: not a line of a histogram log/);
  t.match(err, /there is nothing to report/);
  const gone = await runHere('report', '--hlog', join(directory, 'none'), '-o', '-');
  t.equal(gone.code, 1);
  t.match(gone.err, /can't read .*none: ENOENT/);
  t.equal((await runHere('verdict', '--max-diff', 'much')).code, 2);
});
