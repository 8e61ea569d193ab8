// Runs over one engine: the admin server has no engine.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { openObserved } from '../../core/report/observed.js';
import { AdminFigures } from '../../workers/admin/figures.js';
import { LiveFeed } from '../../workers/admin/live-feed.js';
import { plan, sample } from '../core/report/sample.js';
import { noBrowser, startBrowser } from '../support/browser.js';
import { askMany } from '../support/client.js';
import { isLive, type LivePage, openPage, overflow, phone, table } from '../support/live-page.js';
import { answerOk, Origin } from '../support/origin.js';
import { freePort } from '../support/ports.js';
import t, { type Test } from '../support/tap.js';
import { reviews, UmbraProcess, until } from '../support/umbra.js';
import { noVerdict, startAdmin } from '../workers/admin/admin.js';

/** Null without one; then every test is skipped with a word. */
const browser = noBrowser === false ? await startBrowser(t) : null;
const requests = 60;

interface Setting {
  readonly umbra: UmbraProcess;
  readonly page: LivePage;
}

/** Two versions, of which the shadow answers every tenth request with a 503; requests made. */
async function startUmbra(t: Test, changes: object = {}): Promise<UmbraProcess> {
  let answered = 0;
  const v1 = await Origin.listen();
  const v2 = await Origin.listen((received, response, request) => {
    if (++answered % 10 === 0) response.writeHead(503, { 'content-length': 0 }).end();
    else answerOk(received, response, request);
  });
  const umbra = await UmbraProcess.start(
    reviews(v1.port, v2.port, { mirror: { percent: 50 }, umbra: changes }),
  );
  t.teardown(async () => {
    await umbra.stop();
    await Promise.all([v1.close(), v2.close()]);
  });
  await askMany(umbra.port, requests, 4, () => ({ target: '/reviews' }));
  return umbra;
}

/** A page that is shared by the tests that change nothing. */
const untouched = browser === null ? null : await startUmbra(t);

async function openOver(t: Test, running: UmbraProcess | null = null): Promise<Setting> {
  const umbra = running ?? (await startUmbra(t));
  return { umbra, page: await openPage(t, browser!, `${umbra.adminUrl}/`) };
}

t.test(
  'the page shows the numbers of /api/stats, asks nobody else, and nothing complains',
  { skip: noBrowser },
  async (t) => {
    const { umbra, page } = await openOver(t, untouched);
    await isLive(page);
    const stats = await umbra.atRest();
    const { primary } = stats.versions.v1;
    const { shadow } = stats.versions.v2;
    const count = (n: number) => n.toLocaleString('en');
    // A page begins with figures that may be a second old.
    const atRest = `${count(primary!.requests)},${count(shadow!.requests)} 0,0`;
    await until(async () => {
      const shown = await table(page);
      return `${shown.requests} ${shown['in flight']}` === atRest;
    }, 'the page shows figures at rest');
    const rows = await table(page);
    t.strictSame(rows['2xx'], [count(primary!.responses['2xx']), count(shadow!.responses['2xx'])]);
    t.strictSame(rows['5xx'], ['0', count(shadow!.responses['5xx'])]);
    const inMs = (text: string) => Number.parseFloat(text) * { µs: 1, ms: 1e3, s: 1e6 }[text.split(' ')[1]]!;
    for (const [row, name] of [
      ['latency p50', 'p50'],
      ['p99', 'p99'],
      ['max', 'max'],
    ] as const) {
      const [first, second] = rows[row].map(inMs);
      for (const [shown, told] of [
        [first, primary!.latencyUs[name]],
        [second, shadow!.latencyUs[name]],
      ]) {
        t.ok(Math.abs(shown - told) <= told / 100, `${row}: ${shown} is ${told} to three digits`);
      }
    }
    const [mirror] = stats.mirrors;
    const account = await page.tab.textContent('.account');
    t.match(account, `${count(mirror.eligible)} eligible`);
    t.match(account, `${count(mirror.completed)} completed`);
    t.equal(await page.tab.inputValue('.share input[type=number]'), '50');
    t.strictSame(page.troubles, []);
    t.ok(page.requests.length > 10);
  },
);

t.test(
  'the slider, the number and the switch change the mirror, and say the generation',
  { skip: noBrowser },
  async (t) => {
    const { umbra, page } = await openOver(t);
    await isLive(page);
    const mirror = async () => (await umbra.stats()).mirrors[0];
    const said = (pattern: RegExp) =>
      until(
        async () => pattern.test((await page.tab.textContent('#mirrors .said')) ?? ''),
        `the card says ${pattern}`,
      );
    await page.tab.focus('.share input[type=range]');
    for (let i = 0; i < 5; i++) await page.tab.keyboard.press('ArrowLeft');
    await said(/^45 %: every thread has taken it, as generation 2$/);
    t.equal((await mirror()).percent, 45);
    await page.tab.fill('.share input[type=number]', '0.0125');
    await page.tab.keyboard.press('Enter');
    await said(/^0.0125 %: .* generation 3$/);
    t.equal((await mirror()).percent, 0.0125);
    t.equal(await page.tab.inputValue('.share input[type=range]'), '0');
    await page.tab.fill('.share input[type=number]', '101');
    await page.tab.keyboard.press('Enter');
    await said(/^a share is a number from 0 to 100$/);
    t.equal((await mirror()).percent, 0.0125);
    await page.tab.click('.switch');
    await said(/^off: .* generation 4$/);
    t.equal((await mirror()).enabled, false);
    t.equal(await page.tab.getAttribute('.switch', 'aria-checked'), 'false');
    await page.tab.click('.switch');
    await said(/^on: .* generation 5$/);
    t.strictSame(page.troubles, []);
  },
);

t.test(
  'one button stops all mirrors at once, and starts them only when pressed twice',
  { skip: noBrowser },
  async (t) => {
    const { umbra, page } = await openOver(t);
    await isLive(page);
    const enabled = async () => (await umbra.stats()).mirrors[0].enabled;
    await page.tab.click('#kill:text("Stop all mirrors")');
    await page.tab.waitForSelector('#notice:text("stopped: every thread has taken it, as generation 2")');
    t.equal(await enabled(), false);
    await page.tab.click('#kill:text("Start all mirrors")');
    await page.tab.waitForSelector('#kill:text("Press again")');
    t.equal(await enabled(), false);
    await page.tab.click('#kill');
    await page.tab.waitForSelector('#notice:text("started: every thread has taken it, as generation 3")');
    t.equal(await enabled(), true);
  },
);

t.test(
  'a change that is refused is shown in the words of the server, and the controls go back',
  { skip: noBrowser },
  async (t) => {
    const { umbra, page } = await openOver(t);
    await isLive(page);
    umbra.file.write(reviews(1, null));
    umbra.signal('SIGHUP');
    await page.tab.evaluate(`document.querySelector('.switch').click()`);
    await until(async () => {
      const text = await page.tab.evaluate(
        `document.querySelector('#mirrors .said')?.textContent ?? 'the card is gone'`,
      );
      return /not changed|the card is gone|taken/.test(String(text));
    }, 'the page answers');
    await page.tab.waitForSelector('#mirrors .empty');
    t.match(await page.tab.textContent('#mirrors .empty'), 'No route has a mirror');
  },
);

t.test(
  'everything can be done with the keyboard, and what is in focus can be seen',
  { skip: noBrowser },
  async (t) => {
    const { umbra, page } = await openOver(t);
    await isLive(page);
    const { tab } = page;
    const seen: string[] = [];
    for (let i = 0; i < 40; i++) {
      await tab.keyboard.press('Tab');
      const focus = (await tab.evaluate(`(() => {
      const element = document.activeElement;
      if (element === document.body) return null;
      const shown = element.matches('.segments input') ? element.nextElementSibling : element;
      const style = getComputedStyle(shown);
      const name = element.getAttribute('aria-label') ?? (element.labels?.[0] ?? element).textContent.trim();
      return { name, outline: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0 };
    })()`)) as { name: string; outline: boolean } | null;
      if (focus === null || seen.includes(focus.name)) continue;
      seen.push(focus.name);
      t.ok(focus.outline, `${focus.name} shows that it is in focus`);
    }
    t.equal(seen[0], 'Skip to the figures');
    for (const name of ['Stop all mirrors', '1 min', 'p99', 'Mirror of route reviews to v2', 'metrics']) {
      t.ok(seen.includes(name), `${name} can be reached: ${seen.join(' | ')}`);
    }
    await tab.focus('#percentile input:checked');
    await tab.keyboard.press('ArrowLeft');
    t.equal(await tab.textContent('#over-time-caption'), 'p90 over time');
    await tab.focus('.switch');
    await tab.keyboard.press('Space');
    await until(async () => !(await umbra.stats()).mirrors[0].enabled, 'the mirror is off');
  },
);

t.test(
  'a recording and a stream are drawn beside the versions, with what they lose and why',
  { skip: noBrowser },
  async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'umbra-page-'));
    const v1 = await Origin.listen();
    // Of a server that is not there.
    const stream = { to: `nats://127.0.0.1:${await freePort()}/umbra.reviews`, stream: { outstanding: 1 } };
    const mirrors = [{ to: `file:${directory}` }, stream];
    const umbra = await UmbraProcess.start(
      reviews(v1.port, null, { route: { mirrors }, umbra: { drain: '1s' } }),
    );
    t.teardown(async () => {
      await umbra.stop();
      await v1.close();
      rmSync(directory, { recursive: true, force: true });
    });
    const page = await openPage(t, browser!, `${umbra.adminUrl}/`);
    await isLive(page);
    const nodes = () => page.tab.locator('#flow .node').allTextContents();
    const drops = () => page.tab.locator('#flow .drop').allTextContents();
    // The picture is of the last ten seconds.
    await until(async () => {
      await askMany(umbra.port, requests, 4, () => ({ target: '/reviews' }));
      return (
        (await drops()).join().includes('stream-down') &&
        /KiB.*stopped: stream-down|stopped: stream-down.*KiB/.test((await nodes()).join())
      );
    }, 'what is lost and why is drawn');
    const [, , , ...sinks] = await nodes();
    t.equal(sinks.length, 2);
    const recording = sinks.find((text) => text.includes(basename(directory).slice(0, 12)));
    t.match(recording, /recording, \d.* KiB/);
    t.match(await page.tab.getAttribute('#flow svg', 'aria-label'), /sink nats:.*, drops stream-down/);
    const cards = await page.tab.locator('.mirror').allTextContents();
    t.match(cards, [/\d kept.*files/s, /stopped: stream-down/]);
    await page.tab.locator('.mirror .switch').first().click();
    await until(async () => (await umbra.stats()).mirrors[0].enabled === false, 'its switch works');
    t.equal(await overflow(page), 0);
    t.strictSame(page.troubles, []);
  },
);

t.test('on a phone nothing reaches beyond the screen, in either scheme', { skip: noBrowser }, async (t) => {
  const { umbra } = await openOver(t, untouched);
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await openPage(t, browser!, `${umbra.adminUrl}/`, { viewport: phone, colorScheme });
    await isLive(page);
    t.equal(await overflow(page), 0, colorScheme);
    const small = await page.tab.evaluate(`[...document.querySelectorAll('button, .share input')]
      .filter((one) => one.offsetParent !== null && one.getBoundingClientRect().height < 24).map((one) => one.outerHTML)`);
    t.strictSame(small, [], 'controls are large enough for a finger');
    t.strictSame(page.troubles, []);
  }
});

t.test(
  'the policy of the page holds: no code in it, no markup from text, no other host',
  { skip: noBrowser },
  async (t) => {
    const { page } = await openOver(t, untouched);
    await isLive(page);
    const { tab } = page;
    const tried = await tab.evaluate(`(async () => {
    const broken = [];
    addEventListener('securitypolicyviolation', (event) => broken.push(event.effectiveDirective));
    let markup = 'set';
    try { document.body.innerHTML += '<i>x</i>'; } catch (error) { markup = error.name; }
    const image = new Image();
    image.src = 'http://127.0.0.1:1/x.png';
    const answer = await fetch('http://127.0.0.1:1/').then(() => 'answered', (error) => error.name);
    let attribute = 'set';
    try { document.body.setAttribute('onclick', 'window.ran = true'); } catch (error) { attribute = error.name; }
    document.body.click();
    await new Promise((resolve) => setTimeout(resolve));
    return { markup, attribute, answer, ran: window.ran ?? false, broken: [...new Set(broken)].sort() };
  })()`);
    t.match(tried, { markup: 'TypeError', attribute: 'TypeError', answer: 'TypeError', ran: false });
    const { broken } = tried as { broken: string[] };
    for (const directive of ['connect-src', 'img-src', 'require-trusted-types-for']) {
      t.ok(broken.includes(directive), `${directive}: ${broken}`);
    }
  },
);

t.test(
  'a token is asked for, kept in the tab alone, and asked for again when it is wrong',
  { skip: noBrowser },
  async (t) => {
    const { page } = await openOver(
      t,
      await startUmbra(t, { admin: { address: '127.0.0.1:0', token: 'correct-horse' } }),
    );
    const { tab } = page;
    await tab.waitForSelector('#ask');
    t.notOk(await tab.isVisible('#main'), 'no empty figures behind it');
    await tab.fill('#token', 'wrong');
    await tab.keyboard.press('Enter');
    await tab.waitForSelector('#ask-text:text("That was not the token.")');
    await tab.fill('#token', 'correct-horse');
    await tab.keyboard.press('Enter');
    await isLive(page);
    await tab.click('.switch');
    await tab.waitForSelector('.said:text("off: every thread has taken it")');
    t.strictSame(
      await tab.evaluate(
        `[Object.values(sessionStorage), localStorage.length, document.cookie, location.href.includes('correct')]`,
      ),
      [['correct-horse'], 0, '', false],
    );
    await tab.reload();
    await isLive(page);
    const complaints = page.troubles.filter((text) => !/status of 401/.test(text));
    t.strictSame(complaints, [], 'the browser complains of nothing but the refusals');
  },
);

t.test(
  'it says when umbra is gone, keeps the last figures, and continues when it is back',
  { skip: noBrowser },
  async (t) => {
    const { umbra, page } = await openOver(t);
    await isLive(page);
    const { port } = new URL(umbra.adminUrl);
    const before = await table(page);
    await umbra.stop();
    await page.tab.waitForSelector('#banner-text:text("No connection")');
    t.equal(await page.tab.textContent('#state'), 'disconnected');
    t.strictSame((await table(page)).requests, before.requests);
    const v1 = await Origin.listen();
    const again = await UmbraProcess.start(
      reviews(v1.port, null, { umbra: { admin: { address: `127.0.0.1:${port}` } } }),
    );
    t.teardown(async () => {
      await again.stop();
      await v1.close();
    });
    // It tries by itself as well, and where it is back before the click there is no button any more.
    await Promise.any([page.tab.click('#retry'), page.tab.waitForSelector('#banner', { state: 'hidden' })]);
    await isLive(page);
    t.notOk(await page.tab.isVisible('#banner'));
    await until(
      async () => (await table(page)).requests.join() === '0',
      'the figures are those of the new one',
    );
  },
);

t.test('a page that is closed gives its stream back', { skip: noBrowser }, async (t) => {
  const { umbra, page } = await openOver(t);
  await isLive(page);
  const streams = async () => /^umbra_admin_streams (\d+)$/m.exec(await umbra.metrics())?.[1];
  t.equal(await streams(), '1');
  await page.tab.close();
  await until(async () => (await streams()) === '0', 'the stream is closed');
});

t.test('hostile names and values are text, wherever they stand', { skip: noBrowser }, async (t) => {
  const hostile = `<img src=x onerror="window.ran = true"><script>window.ran = true</script>\u202e"'`;
  const { blocks } = sample();
  const names = ['v1', 'v2'].map((name) => `${name}${hostile}`);
  const observed = openObserved(
    {
      ...blocks,
      plan: {
        ...plan,
        versions: plan.versions.map((version, i) => ({ ...version, name: names[i] })),
        routes: plan.routes.map((route) => ({ ...route, name: hostile })),
      },
      engine: hostile,
      versions: blocks.versions.map((version, i) => ({ ...version, name: names[i] })),
      mirrors: blocks.mirrors.slice(0, 1).map((mirror) => ({ ...mirror, route: hostile, to: names[1] })),
      threads: blocks.threads.map((thread, i) => ({ ...thread, name: `${i}${hostile}` })),
      rings: blocks.rings.map((ring) => ({ ...ring, name: hostile })),
    },
    () => 100,
  );
  const taken = {
    id: hostile,
    request: hostile,
    at: hostile,
    primary: hostile,
    shadow: { [hostile]: hostile },
  };
  const groups = [hostile, 'json'].map((kind) => ({
    route: hostile,
    version: hostile,
    kind,
    path: hostile,
    count: 3,
    compared: 9,
    baseline: { count: 1, compared: 2 },
    noise: kind === 'json',
    samples: [taken],
  }));
  const figures = new AdminFigures();
  const feed = new LiveFeed({ observe: () => observed, ready: () => true, ...noVerdict }, figures);
  const admin = await startAdmin(t, { observe: () => observed, figures, feed });
  feed.begin();
  feed.tick();
  const us = { p50: 1, p99: 2 };
  const counts = { pairs: 3, primaryErrors: 0, shadowErrors: 1, different: 1, statusDifferent: 0 };
  const endpoint = { endpoint: hostile, ...counts, primaryUs: us, shadowUs: us, slower: 0.5 };
  const mirrors = [{ route: hostile, version: hostile, primary: hostile, lost: 0, endpoints: [endpoint] }];
  const called = { calls: 3, errors: 1, statuses: { [hostile]: 3 }, messages: { sent: 3, received: 2 } };
  const methods = [{ method: hostile, ...called, latencyUs: { mean: 1, ...us } }];
  const grpc = [{ version: hostile, role: 'primary', methods }];
  const page = await openPage(t, browser!, `${admin.url}/`, {}, async (tab) => {
    await tab.route('**/api/diffs?sets=no', (route) => route.fulfill({ json: { groups } }));
    await tab.route('**/api/endpoints', (route) => route.fulfill({ json: { mirrors, grpc } }));
  });
  await isLive(page);
  const { tab } = page;
  for (const summary of await tab.locator('#differences summary').all()) await summary.click();
  await tab.waitForSelector('#differences pre');
  for (const place of [
    '#differences .path',
    '#differences pre',
    '#endpoints .path >> nth=0',
    '#endpoints .path >> nth=1',
    '.mirror .badge bdi',
    '#versions th .badge bdi',
    '#threads h3',
    '#facts',
  ]) {
    const texts = await tab.locator(place).allTextContents();
    t.ok(
      texts.some((text) => text.includes('<img src=x')),
      place,
    );
  }
  const made = await tab.evaluate(
    `[window.ran ?? false, document.querySelectorAll('img[src=x], main script').length]`,
  );
  t.strictSame(made, [false, 0]);
  t.equal(await overflow(page), 0, 'nothing is pushed aside');
  await tab.setViewportSize(phone);
  await until(async () => (await overflow(page)) === 0, 'nor on a phone');
  t.strictSame(page.troubles, []);
});
