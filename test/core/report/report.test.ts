import { Drop, Failure } from '../../../core/errors.js';
import { intervalLine, logHeader } from '../../../core/hlog/log-line.js';
import { LogParser } from '../../../core/hlog/log-parser.js';
import { MergedLog } from '../../../core/hlog/merged.js';
import { accountsText } from '../../../core/report/comparison-text.js';
import { parseDiffs } from '../../../core/report/parse-diffs.js';
import { type Report, reportOfLogs, reportOfReading } from '../../../core/report/report.js';
import { reportHtml } from '../../../core/report/report-html.js';
import { reportText } from '../../../core/report/report-text.js';
import type { Verdict } from '../../../core/verdict/verdict.js';
import t from '../../support/tap.js';
import { latencies, mirrorCounts, readingOf, version } from './reading.js';

const hostile = '<script>alert(1)</script>"\'&\u202e\u0007';

const diffs = parseDiffs({
  groups: [
    {
      route: 'reviews',
      version: 'v2',
      kind: 'json',
      path: `$.${hostile}`,
      count: 12,
      compared: 40,
      noise: false,
      samples: [
        { id: '1', primary: hostile, shadow: 5 },
        { id: '2', shadow: { a: hostile } },
      ],
    },
    {
      route: 'reviews',
      version: 'v2',
      kind: 'header',
      path: 'x-random',
      count: 40,
      noise: true,
      samples: [],
    },
    { route: 1, nonsense: true },
  ],
});

const verdict: Verdict = {
  outcome: 'fail',
  looks: 'repeated',
  mirrors: [
    {
      route: 'reviews',
      primary: 'v1',
      shadow: 'v2',
      outcome: 'fail',
      checks: [
        {
          name: 'errors',
          outcome: 'fail',
          why: null,
          measured: 0.02,
          interval: { low: 0.01, high: 0.03 },
          bound: 0.0005,
          pairs: 1000,
          text: 'v2 failed 20 of 1 000 requests and v1 0',
        },
      ],
      endpoints: [],
      examples: [{ id: '1', request: 'GET /<script>', place: 'json $.a', primary: '1', shadow: '2' }],
      notes: [],
    },
  ],
};

function report(changes: Partial<Report> = {}): Report {
  const reading = readingOf(
    version(latencies(5000), 50),
    version(latencies(5000, 1.5)),
    mirrorCounts(5000, 50),
  );
  const about = {
    source: 'http://127.0.0.1:9901',
    madeAt: '2026-01-01T00:00:00.000Z',
    diffs,
    verdict,
    rollouts: [],
    notes: [],
  };
  return { ...reportOfReading(reading, { ...about, config: { salt: hostile } }), ...changes };
}

const held = {
  route: 'reviews',
  from: 'v1',
  to: 'v2',
  state: 'held',
  step: 2,
  steps: 4,
  percent: 5,
  reason: `not decided: ${hostile}`,
  over: false,
};

/** The page without the names of columns and the dots of versions. */
function plain(page: string): string {
  return page.replaceAll(/ data-head="[^"]*"|<i class="[^"]*"><\/i>/g, '');
}

t.test('the page is one file that asks for nothing and runs nothing', async (t) => {
  const page = reportHtml(report());
  t.notMatch(page, /<script|<link|<img|\bstyle="|\son\w+=|url\(|@import|src=|href=/i);
  t.match(page, /<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-/);
  t.match(page, /color-scheme:light dark/);
});

t.test('hostile strings are shown as text, on the page and on the terminal', async (t) => {
  const page = reportHtml(report());
  t.ok(page.includes('&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;\\u202e\\u0007'));
  t.notOk(page.includes('<script'));
  const text = reportText(report());
  t.ok(text.includes('\\u202e\\u0007'));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is the point.
  t.notMatch(text, /[\x00-\x09\x0b-\x1f\x7f\u202e]/);
});

t.test('every version has its line in the plot and its row in the table', async (t) => {
  const page = reportHtml(report());
  t.equal(page.match(/<path class="line c0" d="M\d+\.\d/g)?.length, 1);
  t.equal(page.match(/<path class="line c9 dashed" d="M\d+\.\d/g)?.length, 1);
  t.match(plain(page), /<td>v1 primary<\/td><td>5 000<\/td><td>1 %<\/td><td>1\.50 ms<\/td>/);
  t.match(page, /<i class="dot c0"><\/i>v1 primary<.*<i class="dot c9 ring"><\/i>v2 shadow</s);
  t.match(page, /99\.9 %/);
  for (const [, numbers] of page.matchAll(/ d="([^"]+)"/g)) t.notMatch(numbers, /NaN|Infinity|undefined/);
});

t.test('gRPC calls are shown by method, and a hostile name is text', async (t) => {
  const counts = (method: string, ok: number, failed: number) => ({
    method,
    statuses: [ok],
    failed,
    messagesSent: ok,
    messagesReceived: 2 * ok,
    buckets: [0, 0, 0, ok],
    sumUs: ok * 800,
  });
  const grpc = { ...version(latencies(10)), grpcMethods: [counts('a.B/C', 4, 1), counts(hostile, 1, 0)] };
  const report = reportOfReading(readingOf(grpc, version(latencies(10)), mirrorCounts(10, 0)), {
    source: 'here',
    madeAt: 'now',
    diffs: null,
    config: null,
    rollouts: [],
    notes: [],
    verdict: null,
  });
  t.match(
    reportText(report),
    /gRPC calls by method:[\s\S]*a\.B\/C +v1 primary +5 +20 % +OK 4, none 1 +4 +8 +750 us/,
  );
  const page = reportHtml(report);
  t.match(page, 'a.B/C');
  t.notOk(page.includes('<script'));
  t.notMatch(reportText({ ...report, versions: [] }), 'by method');
});

t.test('differences, accounts and the configuration are shown', async (t) => {
  const page = reportHtml(report());
  t.match(page, /5000 eligible = 5000 sent \+ 0 dropped/);
  t.match(
    plain(page),
    /<tr class="noise"><td>reviews<\/td><td>v2<\/td><td><\/td><td>header<\/td><td>x-random<\/td><td>value<\/td><td>40 of 40<\/td><td>noise/,
  );
  t.match(plain(page), /<td>12 of 40<\/td>/);
  t.match(page, /&quot;salt&quot;/);
  const text = reportText(report());
  t.match(text, /requests +5000 +5000 +0/);
  t.match(text, /x-random value: 40 of 40, noise/);
  t.match(text, /2xx +4950 +5000 +\+50/);
});

t.test('copies that were lost have their reasons, with what they mean', async (t) => {
  const { mirrors, ...rest } = report();
  const [mirror] = mirrors;
  const dropped = mirror.counts!.dropped.map((_, i) => (i === Drop.NO_ENDPOINT ? 30 : 0));
  const failed = mirror.counts!.failed.map((_, i) => (i === Failure.CONNECT ? 70 : 0));
  const counts = { ...mirror.counts!, sent: 4970, completed: 4900, dropped, failed };
  const page = plain(reportHtml({ ...rest, mirrors: [{ ...mirror, counts }] }));
  t.match(page, /<td>failed: connect<\/td><td>70<\/td><td>1\.4 %<\/td><td>No connection: refused/);
  t.match(page, /<td>dropped: no-endpoint<\/td><td>30<\/td><td>0\.6 %<\/td><td>[A-Z]/);
});

t.test('what differs is shown beyond noise, and where nothing compares that is said', async (t) => {
  const { mirrors, ...rest } = report();
  const counts = { ...mirrors[0].counts!, paired: 5000, different: 1000 };
  const paired = [{ ...mirrors[0], counts }];
  const summary = { route: 'reviews', version: 'v2', compared: 400, differentBeyondNoise: 12, undecided: 0 };
  const compared = parseDiffs({ groups: [], mirrors: [summary] });
  const page = plain(reportHtml({ ...rest, mirrors: paired, diffs: compared }));
  t.match(page, '<dt>different beyond noise</dt><dd class="bad">3 % of 400</dd>');
  t.match(page, '<dt>different, raw</dt><dd>20 %</dd>');
  t.match(page, 'no differences in 400 compared pairs');
  const uncompared = reportHtml({ ...rest, mirrors: paired, diffs: { groups: [], mirrors: [] } });
  t.match(uncompared, 'no field-by-field comparison: add `compare` to a mirror');
  t.match(uncompared, '<dd>no field-by-field comparison: add `compare`</dd>');
  t.match(
    reportText({ ...rest, mirrors, diffs: { groups: [], mirrors: [] } }),
    'no field-by-field comparison',
  );
  t.match(uncompared, '<dt>v2 − v1, p50</dt>');
});

t.test('a recording shows what it keeps, and no pairs', async (t) => {
  const { mirrors, ...rest } = report();
  const counts = { ...mirrors[0].counts!, paired: 0, keptBytes: 1536, segments: 1 };
  const kept = { ...rest, mirrors: [{ ...mirrors[0], to: 'file:./r', isSink: true, counts }] };
  const text = reportText(kept);
  t.match(
    text,
    /route reviews: v1 to file:\.\/r, 100 %\n {2}mirrored: .*\n {2}kept 5 000 copies, 1\.50 KiB in 1 file$/m,
  );
  t.notMatch(text, /paired:/);
  t.match(reportHtml(kept), '<p>kept 5 000 copies, 1.50 KiB in 1 file</p>');
});

t.test('a report without anything measured says so', async (t) => {
  const empty = report({ versions: [], mirrors: [], diffs: null, config: null });
  t.match(reportHtml(empty), 'No version was measured');
  t.match(reportText(empty), 'no version was measured');
  const idle = readingOf(version(latencies(0)), version(latencies(0)), mirrorCounts(0, 0));
  const page = reportHtml(reportOfReading(idle, report()));
  t.notMatch(page, /NaN|undefined|Infinity/);
});

t.test(
  'a report of logs has the latencies of every version and the differences of every mirror',
  async (t) => {
    const byTag = new Map<string, MergedLog>();
    const parser = new LogParser(
      (interval) => {
        const log = byTag.get(interval.tag!) ?? new MergedLog();
        log.add(interval);
        byTag.set(interval.tag!, log);
      },
      ({ message }) => t.fail(message),
    );
    const text =
      logHeader(0) +
      ['v1:primary', 'v2:shadow', 'v2:slower:reviews', 'v2:faster:reviews']
        .map((tag, i) => intervalLine(tag, 1000, 11_000, latencies(100 * (i + 1))))
        .join('');
    for (const line of text.split('\n')) parser.line(line);
    const made = reportOfLogs(
      byTag,
      { source: 'two files', madeAt: 'now', notes: ['a.hlog:7: the histogram is cut short'] },
      (ms) => new Date(ms).toISOString(),
    );
    t.strictSame(
      made.versions.map(({ name, role, latency }) => [name, role, latency.count]),
      [
        ['v1', 'primary', 100],
        ['v2', 'shadow', 200],
      ],
    );
    t.match(made.mirrors, [{ route: 'reviews', to: 'v2', slower: { count: 300 }, faster: { count: 400 } }]);
    t.match(made.facts, [
      ['intervals', '4'],
      ['from', '1970-01-01T00:00:01.000Z'],
      ['to', '1970-01-01T00:00:11.000Z'],
    ]);
    const printed = reportText(made);
    t.match(printed, /v2 shadow +200 +- +1\.\d\d ms/);
    t.match(printed, 'note: a.hlog:7: the histogram is cut short');
    t.match(printed, /v2 was slower in 300 pairs/);
    t.match(reportHtml(made), 'a.hlog:7: the histogram is cut short');
  },
);

t.test('the verdict stands first, and what a service sent in it can not break out', async (t) => {
  const shown = report();
  const text = reportText(shown);
  t.match(
    text,
    /^ {2}verdict: FAIL\n {2}reviews: v2 \(shadow\) against v1 \(primary\)\n {2}FAIL +errors +v2 failed 20/m,
  );
  t.ok(text.indexOf('verdict: FAIL') < text.indexOf('p99.9'), 'before the versions');
  const page = reportHtml(shown);
  t.ok(page.indexOf('<strong>FAIL</strong>') < page.indexOf('<h2>'), 'in one line before all else');
  t.ok(page.indexOf('<h2>Verdict</h2>') < page.indexOf('<h2>Latency</h2>'));
  t.match(page, 'GET /&lt;script&gt; (id 1), json $.a: v1 1 | v2 2');
});

t.test('a rollout that is not over is one line of a report, and its reason is escaped', async (t) => {
  const rollouts = [held, { ...held, route: 'done', over: true }];
  const text = reportText(report({ rollouts }));
  t.match(text, /^ {2}rollout of reviews: v1 -> v2, step 2 of 4, v2 answers 5 %, held: not decided: /m);
  t.notMatch(text, 'rollout of done');
  const page = reportHtml(report({ rollouts }));
  t.match(page, '<p>rollout of reviews: v1 -&gt; v2, step 2 of 4, v2 answers 5 %, held: not decided: ');
  t.notMatch(page, hostile);
});

t.test('copies that are still in rings are on the way, and not called lost', async (t) => {
  const counts = { ...mirrorCounts(7, 0), eligible: 10 };
  t.match(accountsText(counts), /; 3 on the way to the shadow, or lost if this stays at rest$/);
  t.match(accountsText({ ...counts, eligible: 7 }), /; none unaccounted for$/);
});
