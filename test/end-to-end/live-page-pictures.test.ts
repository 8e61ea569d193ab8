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
import t from '../support/tap.js';
import { reviews, UmbraProcess, until } from '../support/umbra.js';

const unasked =
  process.env.UMBRA_SCREENSHOTS !== '1' && 'set UMBRA_SCREENSHOTS=1 to take the pictures of docs/images';
/** A picture of nothing says nothing: this much load comes first. */
const partsBefore = 6;
const partRequests = 600;
const bytesMax = 300_000;

async function picture({ tab }: LivePage, name: string, what: { fullPage: boolean }): Promise<number> {
  const path = fileURLToPath(new URL(`../../../docs/images/${name}.png`, import.meta.url));
  // The head of the page sticks to the window: in a picture of all of it, it stands where the window is.
  await tab.evaluate('document.activeElement.blur(); scrollTo(0, 0)');
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
    'live-page-light': await openPage(t, browser, url, { colorScheme: 'light' }),
    'live-page-phone': await openPage(t, browser, url, { colorScheme: 'dark', viewport: phone }),
  };
  for (const [name, page] of Object.entries(pages)) {
    await isLive(page);
    const open = page.tab.locator('#differences summary').first();
    await open.waitFor();
    if (name !== 'live-page-phone') await open.click();
    const size = await picture(page, name, { fullPage: true });
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
  await until(async () => (await troubled.tab.locator('#flow .drop').count()) > 0, 'drops are drawn');
  const size = await picture(troubled, 'live-page-trouble', { fullPage: false });
  t.ok(size < bytesMax, `live-page-trouble: ${size} bytes`);
});
