/** Accessibility of the live page and of the report, by the rules of axe-core, in a real browser. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { noBrowser, startBrowser } from '../support/browser.js';
import { desktop, isLive, openPage, phone } from '../support/live-page.js';
import { Scene } from '../support/scene.js';
import t, { type Test } from '../support/tap.js';
import { until } from '../support/umbra.js';

const binary = fileURLToPath(new URL('../../../bin/umbra.js', import.meta.url));
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const requestsBefore = 600;

interface Fault {
  readonly id: string;
  readonly impact: string;
  readonly help: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

/** What a person with an assistive device can't use: impact `serious` and `critical`. */
async function faultsOf(tab: Page): Promise<string[]> {
  await tab.evaluate(axeSource);
  const found = (await tab.evaluate('axe.run(document).then(({ violations }) => violations)')) as Fault[];
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, help, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${help}: ${html}: ${failureSummary}`),
    );
}

async function startScene(t: Test, routes: number): Promise<Scene> {
  const scene = await Scene.start({
    routes,
    shadows: 2,
    trouble: true,
    mirror: { compare: { sample: '50%' } },
  });
  t.teardown(() => scene.stop());
  await scene.load.more(requestsBefore);
  await until(
    async () =>
      ((await scene.umbra.admin('GET', '/api/diffs')).json as { groups: unknown[] }).groups.length > 0,
    'differences are found',
  );
  return scene;
}

const sights = [
  { name: 'light', colorScheme: 'light', viewport: desktop },
  { name: 'dark', colorScheme: 'dark', viewport: desktop },
  { name: 'light, phone', colorScheme: 'light', viewport: phone },
  { name: 'dark, phone', colorScheme: 'dark', viewport: phone },
] as const;

t.test(
  'axe-core finds nothing serious on the live page, whatever it shows',
  { skip: noBrowser },
  async (t) => {
    const browser = await startBrowser(t);
    for (const routes of [1, 12]) {
      const scene = await startScene(t, routes);
      // A single route is the plainer page, so two sights of it are enough.
      for (const { name, ...sight } of routes === 1 ? [sights[0], sights[3]] : sights) {
        const page = await openPage(t, browser, `${scene.umbra.adminUrl}/`, sight);
        await isLive(page);
        await page.tab.waitForSelector('#differences summary');
        await page.tab.evaluate(`for (const one of document.querySelectorAll('details')) one.open = true`);
        t.strictSame(await faultsOf(page.tab), [], `${routes} routes, ${name}`);
        if (routes === 1) continue;
        await page.tab.locator('#attention .route-link').first().click();
        await page.tab.waitForSelector('[data-page="route"] #addresses table');
        t.strictSame(await faultsOf(page.tab), [], `the page of a route, ${name}`);
      }
      await scene.load.stop();
    }
  },
);

t.test('axe-core finds nothing serious in a report', { skip: noBrowser }, async (t) => {
  const browser = await startBrowser(t);
  const scene = await startScene(t, 3);
  const file = join(t.testdir({}), 'report.html');
  execFileSync(process.execPath, [binary, 'report', '--admin', scene.umbra.adminUrl, '-o', file]);
  for (const { name, ...sight } of sights) {
    const context = await browser.newContext(sight);
    t.teardown(() => context.close());
    const tab = await context.newPage();
    await tab.goto(pathToFileURL(file).href);
    t.strictSame(await faultsOf(tab), [], name);
    t.equal(await tab.evaluate('document.documentElement.scrollWidth - innerWidth'), 0, `${name}: it fits`);
  }
});
