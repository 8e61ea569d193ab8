/** The rules of axe-core, for what the live page and reports show. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { desktop, phone } from './live-page.js';
import { Scene } from './scene.js';
import type { Test } from './tap.js';
import { until } from './umbra.js';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const requestsBefore = 600;

interface Fault {
  readonly id: string;
  readonly impact: string;
  readonly help: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

/** What a person with an assistive device can't use: impact `serious` and `critical`. */
export async function faultsOf(tab: Page): Promise<string[]> {
  await tab.evaluate(axeSource);
  const found = (await tab.evaluate('axe.run(document).then(({ violations }) => violations)')) as Fault[];
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, help, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${help}: ${html}: ${failureSummary}`),
    );
}

export async function startScene(t: Test, routes: number): Promise<Scene> {
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

export const sights = [
  { name: 'light', colorScheme: 'light', viewport: desktop },
  { name: 'dark', colorScheme: 'dark', viewport: desktop },
  { name: 'light, phone', colorScheme: 'light', viewport: phone },
  { name: 'dark, phone', colorScheme: 'dark', viewport: phone },
] as const;
