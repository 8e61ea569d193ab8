// Runs over one engine: the admin server and its reports have no engine.
/** Accessibility of the live page, by the rules of axe-core, in a real browser. */
import { faultsOf, sights, startScene } from '../support/axe.js';
import { noBrowser, startBrowser } from '../support/browser.js';
import { isLive, openPage } from '../support/live-page.js';
import t from '../support/tap.js';

t.test(
  'axe-core finds nothing serious on the live page, whatever it shows',
  { skip: noBrowser },
  async (t) => {
    const browser = await startBrowser(t);
    for (const routes of [1, 12]) {
      const scene = await startScene(t, routes);
      // Rules see the page as it stands, and a browser beside a load is slow on few cores.
      await scene.load.stop();
      // Colours and widths are independent: two sights hold each of them once.
      for (const { name, ...sight } of [sights[0], sights[3]]) {
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
    }
  },
);
