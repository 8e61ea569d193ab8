// Runs over one engine: the admin server and its reports have no engine.
/** Accessibility of the report, by the rules of axe-core, in a real browser. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { faultsOf, sights, startScene } from '../support/axe.js';
import { noBrowser, startBrowser } from '../support/browser.js';
import t from '../support/tap.js';

const binary = fileURLToPath(new URL('../../../bin/umbra.js', import.meta.url));

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
