// Runs over one engine: the admin server has no engine.
/** The verdict of a mirror on the live page: its outcome in a word, and each check in a sentence. */
import { fileURLToPath } from 'node:url';
import { laws } from '../../bench/simulate/laws.js';
import { Traffic } from '../../bench/simulate/run.js';
import { scenarios } from '../../bench/simulate/scenarios.js';
import { parseDiffs } from '../../core/report/parse-diffs.js';
import type { Block } from '../../core/verdict/block-series.js';
import { EndpointBook } from '../../core/verdict/endpoint-book.js';
import { judge } from '../../core/verdict/judge.js';
import { defaultBounds, type Outcome } from '../../core/verdict/verdict.js';
import { AdminFigures } from '../../workers/admin/figures.js';
import { LiveFeed } from '../../workers/admin/live-feed.js';
import { sample } from '../core/report/sample.js';
import { noBrowser, startBrowser } from '../support/browser.js';
import { isLive, openPage, overflow, phone } from '../support/live-page.js';
import t from '../support/tap.js';
import { startAdmin } from '../workers/admin/admin.js';

/** With `UMBRA_SCREENSHOTS=1` the picture of docs/live-page.md is taken. */
const isPicture = process.env.UMBRA_SCREENSHOTS === '1';
const picturePath = fileURLToPath(new URL('../../../docs/images/live-page-verdict.png', import.meta.url));
const manyPairs = 100_000;

function blocksOf(name: string, pairs: number): readonly Block[] {
  const scenario = scenarios.find((one) => one.name === name)!;
  return new Traffic(2).run(laws[0], scenario, pairs);
}

const group = {
  id: '5f3a9c01',
  route: 'reviews',
  version: 'v2',
  endpoint: 'GET /reviews/*',
  kind: 'json',
  path: '$.reviews[*].stars',
  change: 'extra',
  count: 12,
  compared: 400,
  samples: [{ id: '3-17', request: 'GET /reviews/7', at: '$.reviews[0].stars', shadow: 5 }],
};
const noise = { ...group, id: '90c2be77', path: '$.at', change: 'value', count: 400, noise: true };
const summary = { route: 'reviews', version: 'v2', compared: 400, differentBeyondNoise: 12, undecided: 0 };

const cases: readonly {
  readonly outcome: Outcome;
  readonly blocks: readonly Block[];
  readonly diffs: object;
}[] = [
  { outcome: 'pass', blocks: blocksOf('equal', manyPairs), diffs: { groups: [], mirrors: [] } },
  {
    outcome: 'fail',
    blocks: blocksOf('+0.2 points of errors', manyPairs),
    diffs: { groups: [group, noise], mirrors: [summary] },
  },
  { outcome: 'undecided', blocks: blocksOf('equal', 1000), diffs: { groups: [], mirrors: [] } },
];

for (const { outcome, blocks, diffs } of cases) {
  t.test(`a verdict that is ${outcome} says so, and why`, { skip: noBrowser }, async (t) => {
    const { observed } = sample();
    const book = new EndpointBook();
    book.follow(0, []);
    for (let i = 0; i < 2000; i++) {
      const endpoint = i % 4 === 0 ? 'GET /reviews/failing' : 'GET /reviews/7';
      const isFailing = outcome === 'fail' && i % 40 === 0;
      book.counterOf(0, endpoint)!.count(isFailing ? 1 : 0, 0, 5000 + i, 5000 + i);
    }
    const pairs = { blocksOf: () => [], endpointsOf: () => book.read(0) };
    const about = { route: 'reviews', primary: 'v1', shadow: 'v2', baseline: [] };
    const evidence = [{ ...about, blocks, endpoints: book.read(0) }];
    const verdict = () => judge(evidence, parseDiffs(diffs), defaultBounds, 'repeated');
    const figures = new AdminFigures();
    const feed = new LiveFeed({ observe: () => observed, ready: () => true, pairs, verdict }, figures);
    const admin = await startAdmin(t, { observe: () => observed, figures, feed, pairs, verdict });
    feed.begin();
    feed.tick();
    const browser = await startBrowser(t);
    const page = await openPage(t, browser, `${admin.url}/`, { colorScheme: 'dark' });
    await isLive(page);
    const { tab } = page;
    const details = tab.locator('.verdict').first();
    t.match(await details.locator('summary').textContent(), `verdict so far: ${outcome}`);
    await details.locator('summary').click();
    feed.tick();
    await details.locator('li').first().waitFor();
    const lines = await details.locator('li').allTextContents();
    for (const check of ['errors', 'latency', 'tail', 'status', 'differences', 'coverage'])
      t.ok(
        lines.some((line) => line.includes(`${check}: `)),
        check,
      );
    if (outcome === 'fail') {
      t.match(lines[0], /^failerrors: v2 failed 294 of/, 'what fails comes first');
      t.ok(lines.some((line) => line.includes('GET /reviews/failing (errors): v2 failed 50 of 500 pairs')));
      t.ok(lines.some((line) => line.includes('json $.reviews[*].stars extra')));
      t.ok(lines.some((line) => line.includes('learned as noise')));
      t.match(await tab.locator('#endpoints tbody').first().textContent(), 'GET /reviews/failing');
    }
    t.equal(await overflow(page), 0);
    if (isPicture && outcome === 'fail')
      await tab.locator('#mirrors-panel').screenshot({ path: picturePath });
    await tab.setViewportSize(phone);
    t.equal(await overflow(page), 0, 'nor on a phone');
    t.strictSame(page.troubles, []);
  });
}
