// Runs over one engine: the admin server has no engine.
/** The stepper of a rollout on the page of its route, in a real browser. */
import { faultsOf } from '../support/axe.js';
import { noBrowser, startBrowser } from '../support/browser.js';
import { isLive, openPage, overflow, phone } from '../support/live-page.js';
import { keyedClients, rolloutConfig, startRollout, twoVersions, untilRollout } from '../support/rollout.js';
import t from '../support/tap.js';
import { UmbraProcess } from '../support/umbra.js';

t.setTimeout(110_000);

t.test('the steps of a rollout are shown, and it is paused and aborted', { skip: noBrowser }, async (t) => {
  const browser = await startBrowser(t);
  const umbra = await UmbraProcess.start(rolloutConfig(await twoVersions(t)));
  t.teardown(() => umbra.stop());
  const users = keyedClients(() => umbra.port, 2);
  t.teardown(() => users.end());
  const page = await openPage(t, browser, `${umbra.adminUrl}/`);
  const { tab } = page;
  await isLive(page);
  await tab.goto(`${umbra.adminUrl}/#/routes/reviews`);
  await tab.locator('#route-weights').waitFor();
  const panel = tab.locator('#route-rollout');
  t.equal(await panel.isVisible(), false, 'a route without a rollout has no stepper');

  await startRollout(t, umbra, { steps: 'mirror:1ms-60s,10%:60s-120s,50%:60s,100%' });
  await untilRollout(umbra, ({ percent }) => percent === 10);
  await panel.getByText(/v1 → v2: running, for .*; v2 answers 10 ?%/).waitFor();
  t.strictSame(await panel.locator('.steps li').allInnerTexts(), ['mirror 100 %', '10 %', '50 %', '100 %']);
  t.equal(await panel.locator('.steps .done').innerText(), 'mirror 100 %');
  t.equal(await panel.locator('[aria-current="step"]').innerText(), '10 %');
  await panel.locator('.checks li').first().waitFor();
  t.match(await panel.locator('.checks').innerText(), /(pass|undecided) errors: v2 failed 0 of/);
  t.strictSame(await faultsOf(tab), [], 'axe-core finds nothing serious');
  const picture = process.env.UMBRA_ROLLOUT_PICTURE;
  if (picture !== undefined) await tab.screenshot({ path: picture, fullPage: true });

  await panel.getByRole('button', { name: 'Pause' }).click();
  await panel.getByText(/v1 → v2: paused/).waitFor();
  await panel.getByText('paused on the live page').waitFor();
  t.equal(await panel.getByRole('button', { name: 'Pause' }).isVisible(), false);
  await panel.getByRole('button', { name: 'Resume' }).click();
  await panel.getByText(/v1 → v2: running/).waitFor();

  const small = await openPage(t, browser, `${umbra.adminUrl}/`, { viewport: phone });
  await isLive(small);
  await small.tab.goto(`${umbra.adminUrl}/#/routes/reviews`);
  await small.tab.locator('#route-rollout .steps').waitFor();
  t.equal(await overflow(small), 0, 'it fits a phone');

  await panel.getByRole('button', { name: 'Abort' }).click();
  await panel.getByRole('button', { name: 'Abort: sure?' }).click();
  await panel.getByText(/v1 → v2: rolled back; v2 answers 0 ?%/).waitFor();
  t.match(await untilRollout(umbra, ({ state }) => state === 'rolled-back'), {
    reason: 'aborted on the live page',
  });
  t.equal(await panel.getByRole('button').filter({ visible: true }).count(), 0, 'nothing is left to do');
  t.strictSame(users.failures, []);
  t.strictSame([...page.troubles, ...small.troubles], []);
});
