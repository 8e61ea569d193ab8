// Runs over one engine: the admin server has no engine.
import { noBrowser, startBrowser } from '../support/browser.js';
import { isLive, openPage, overflow, phone } from '../support/live-page.js';
import { Origin } from '../support/origin.js';
import t from '../support/tap.js';
import { reviews, UmbraProcess, until } from '../support/umbra.js';

t.test(
  'weights are set on the page of a route, and what differs is listed and ended',
  { skip: noBrowser },
  async (t) => {
    const browser = await startBrowser(t);
    const [v1, v2] = await Promise.all([Origin.listen(), Origin.listen()]);
    const umbra = await UmbraProcess.start(reviews(v1.port, v2.port));
    t.teardown(async () => {
      await umbra.stop();
      await Promise.all([v1.close(), v2.close()]);
    });
    const page = await openPage(t, browser, `${umbra.adminUrl}/`);
    const { tab } = page;
    await isLive(page);
    await tab.goto(`${umbra.adminUrl}/#/routes/reviews`);
    const list = tab.locator('#live-changes');
    t.equal(await list.isHidden(), true, 'nothing differs');

    const field = (version: string) => tab.getByLabel(`Weight of ${version} on route reviews`);
    await field('v2').fill('5');
    t.match(await tab.locator('#route-weights').innerText(), /4\.76 ?%/, 'the share is shown as it is typed');
    await field('v1').fill('95');
    await tab.getByRole('button', { name: 'Set weights' }).click();
    await tab.getByText(/every thread has taken it, as generation 2/).waitFor();
    t.match((await umbra.admin('GET', '/api/config')).json, { routes: [{ primary: { v1: 95, v2: 5 } }] });
    await list.getByText('reviews is answered by v1 95, v2 5, not v1 1').waitFor();
    t.match(await list.innerText(), /page, /, 'and by whom');

    await field('v2').fill('-1');
    t.equal(await tab.getByRole('button', { name: 'Set weights' }).isDisabled(), true);

    await umbra.admin('PATCH', '/api/mirrors', { enabled: false });
    await list.getByText('All mirrors are off').waitFor();
    await list.getByRole('button', { name: 'As in the configuration: All mirrors are off' }).click();
    await until(async () => (await list.getByText('All mirrors are off').count()) === 0, 'it has ended');
    await list.getByRole('button', { name: /^As in the configuration: reviews is answered by/ }).click();
    await until(() => list.isHidden(), 'nothing differs any more');
    t.match((await umbra.admin('GET', '/api/config')).json, { routes: [{ primary: 'v1' }] });
    t.strictSame(page.troubles, []);

    const small = await openPage(t, browser, `${umbra.adminUrl}/`, { viewport: phone });
    await isLive(small);
    await small.tab.goto(`${umbra.adminUrl}/#/routes/reviews`);
    await small.tab.locator('#route-weights').waitFor();
    t.equal(await overflow(small), 0, 'it fits a phone');
  },
);
