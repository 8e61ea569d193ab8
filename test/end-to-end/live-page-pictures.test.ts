// Runs over one engine: the admin server has no engine.
/** The pictures of the live page that docs/ shows, renewed with `UMBRA_SCREENSHOTS=1`. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Diffs } from '../../core/compare/diff-book.js';
import { serveOrigin } from '../../workers/demo/origins.js';
import { noBrowser, startBrowser } from '../support/browser.js';
import { desktop, isLive, type LivePage, openPage, phone } from '../support/live-page.js';
import { Load } from '../support/load.js';
import { NatsServer, noNats } from '../support/nats.js';
import { Scene } from '../support/scene.js';
import t from '../support/tap.js';
import { reviews, UmbraProcess, until } from '../support/umbra.js';

const unasked =
  process.env.UMBRA_SCREENSHOTS !== '1' && 'set UMBRA_SCREENSHOTS=1 to take the pictures of docs/images';
/** A picture of nothing says nothing: this much load comes first. */
const partsBefore = 6;
const partRequests = 600;
const bytesMax = 400_000;
/** A page that was made larger draws what came into sight with the next snapshot. */
const settleMs = 2500;
/** Figures are of the last ten seconds. */
const windowMs = 11_000;

async function picture({ tab }: LivePage, name: string, what: { fullPage: boolean }): Promise<number> {
  const path = fileURLToPath(new URL(`../../../docs/images/${name}.png`, import.meta.url));
  // The head of the page sticks to the window: in a picture of all of it, it stands where the window is.
  await tab.evaluate('document.activeElement.blur(); scrollTo(0, 0)');
  if (what.fullPage) {
    // What is out of sight is not drawn, so the window has to be as high as the page, which then grows.
    for (const _ of [1, 2]) {
      const height = (await tab.evaluate('document.documentElement.scrollHeight')) as number;
      await tab.setViewportSize({ width: tab.viewportSize()!.width, height });
      await tab.waitForTimeout(settleMs);
    }
  }
  await tab.screenshot({ path, ...what });
  return statSync(path).size;
}

t.test('the pictures of the live page', { skip: unasked || noBrowser || noNats }, async (t) => {
  const [v1, v2] = await Promise.all([serveOrigin('v1', 0), serveOrigin('v2', 0)]);
  const portOf = (server: typeof v1) => (server.address() as AddressInfo).port;
  const compared = { compare: { sample: '20%', baseline: 'v1' } };
  const umbra = await UmbraProcess.start(reviews(portOf(v1), portOf(v2), { mirror: compared }));
  const load = new Load(umbra.port, 8, () => `/reviews/${Math.floor(Math.random() * 9)}`);
  t.teardown(async () => {
    await load.stop();
    await umbra.stop();
    v1.close();
    v2.close();
  });
  const browser = await startBrowser(t);
  const url = `${umbra.adminUrl}/`;
  for (let part = 0; part < partsBefore; part++) await load.more(partRequests);
  await until(async () => {
    const { groups } = (await umbra.admin('GET', '/api/diffs')).json as Diffs;
    return groups.length > 0;
  }, 'differences are found');
  const pages = {
    'live-page': await openPage(t, browser, url, { colorScheme: 'dark' }),
    'live-page-light': await openPage(t, browser, url, {
      colorScheme: 'light',
      viewport: { ...desktop, height: 1300 },
    }),
    'live-page-phone': await openPage(t, browser, url, { colorScheme: 'dark', viewport: phone }),
  };
  for (const [name, page] of Object.entries(pages)) {
    await isLive(page);
    const open = page.tab.locator('#differences summary').first();
    await open.waitFor();
    if (name !== 'live-page-phone') await open.click();
    const size = await picture(page, name, { fullPage: name !== 'live-page-light' });
    t.ok(size < bytesMax, `${name}: ${size} bytes`);
  }
  const nats = await NatsServer.start();
  const recordings = mkdtempSync(join(tmpdir(), 'umbra-pictures-'));
  t.teardown(async () => {
    await nats.stop();
    rmSync(recordings, { recursive: true, force: true });
  });
  const sinks = [
    { to: 'v2', percent: 50 },
    { to: `file:${recordings}/recordings`, percent: 25 },
    { to: nats.stream('umbra.reviews'), percent: 50, stream: { outstanding: 50 } },
  ];
  await umbra.admin('PUT', '/api/config', reviews(portOf(v1), portOf(v2), { route: { mirrors: sinks } }));
  const kept = await openPage(t, browser, url, {
    colorScheme: 'dark',
    viewport: { ...desktop, height: 640 },
  });
  await isLive(kept);
  await load.more(partRequests);
  await nats.kill();
  await until(async () => {
    await load.more(partRequests);
    return (await kept.tab.locator('#flow .drop').count()) > 0;
  }, 'the stream is down');
  t.ok((await picture(kept, 'live-page-sinks', { fullPage: false })) < bytesMax);
  await umbra.admin(
    'PUT',
    '/api/config',
    reviews(portOf(v1), portOf(v2), { mirror: { rate: '60/s', percent: 80 } }),
  );
  v2.closeAllConnections();
  v2.close();
  await load.more(partRequests);
  await load.more(partRequests);
  const troubled = await openPage(t, browser, url, {
    colorScheme: 'dark',
    viewport: { ...desktop, height: 800 },
  });
  await isLive(troubled);
  await until(async () => {
    await load.more(partRequests / 4);
    return (await troubled.tab.locator('#flow .node.dead').count()) > 0;
  }, 'the dead shadow is drawn');
  const size = await picture(troubled, 'live-page-trouble', { fullPage: false });
  t.ok(size < bytesMax, `live-page-trouble: ${size} bytes`);
});

/** Many routes. Some shadows are dead, answer with errors or differ; all are compared and judged. */
const crowds = [
  { routes: 12, shadows: 2, mirroredEvery: 1, height: 1640, phoneHeight: 1500 },
  { routes: 100, shadows: 1, mirroredEvery: 2, height: 1500, phoneHeight: 1500 },
];

t.test(
  'the pictures of many routes, and of the page of one of them',
  { skip: unasked || noBrowser },
  async (t) => {
    const browser = await startBrowser(t);
    for (const { routes, shadows, mirroredEvery, height, phoneHeight } of crowds) {
      const mirror = { compare: { sample: '50%' } };
      const scene = await Scene.start({
        routes,
        shadows,
        mirroredEvery,
        trouble: true,
        mirror,
        connections: 16,
      });
      t.teardown(() => scene.stop());
      await scene.load.more(partRequests * 2);
      const url = `${scene.umbra.adminUrl}/`;
      const at = (width: number, height: number) => ({
        colorScheme: 'dark' as const,
        viewport: { width, height },
      });
      const pages = {
        [`live-page-${routes}-routes`]: await openPage(t, browser, url, at(desktop.width, height)),
        [`live-page-${routes}-routes-phone`]: await openPage(t, browser, url, at(phone.width, phoneHeight)),
      };
      const route = await openPage(t, browser, `${url}#/routes/cart`, {
        colorScheme: 'light',
        viewport: { ...desktop, height: 1560 },
      });
      await route.tab.waitForTimeout(windowMs);
      for (const [name, page] of Object.entries(pages)) {
        await isLive(page);
        await page.tab.waitForSelector('#attention [data-level="dead"]');
        t.ok((await picture(page, name, { fullPage: false })) < bytesMax, name);
      }
      if (routes === 12) {
        await route.tab.locator('.verdict summary').first().click();
        await route.tab.locator('.verdict li').first().waitFor();
        t.ok((await picture(route, 'live-page-route', { fullPage: false })) < bytesMax);
      }
      await scene.stop();
    }
  },
);
