/** The live page in a real browser, with everything that the browser complained of. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { Test } from './tap.js';

export interface LivePage {
  readonly tab: Page;
  /** Errors in the console, exceptions, requests that failed or went elsewhere. */
  readonly troubles: string[];
  /** Errors of the document and its files. */
  readonly requests: string[];
}

export const phone = { width: 360, height: 740 };
export const desktop = { width: 1280, height: 860 };

/** Opens `url` in a tab of its own, with its own storage; `prepare` sees the tab before it is loaded. */
export async function openPage(
  t: Test,
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
  prepare: (tab: Page) => Promise<unknown> = async () => {},
): Promise<LivePage> {
  const context = await browser.newContext({ viewport: desktop, reducedMotion: 'reduce', ...options });
  t.teardown(() => context.close());
  const tab = await context.newPage();
  const troubles: string[] = [];
  const requests: string[] = [];
  tab.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') troubles.push(message.text());
  });
  tab.on('pageerror', (error) => troubles.push(error.message));
  tab.on('request', (request) => {
    requests.push(request.url());
    if (!request.url().startsWith(url)) troubles.push(`another host: ${request.url()}`);
  });
  await prepare(tab);
  await tab.goto(url);
  return { tab, troubles, requests };
}

/** Resolves when the page shows figures; rejects with what it shows in their place. */
export async function isLive({ tab, troubles }: LivePage): Promise<void> {
  try {
    await tab.waitForSelector('#state[data-state="live"]');
    await tab.waitForSelector('#flow svg');
  } catch (error) {
    const shown = await tab.evaluate(`document.getElementById('state').textContent + '; '
      + document.getElementById('banner').textContent.trim()`);
    throw new Error(`the page shows "${shown}", troubles: ${JSON.stringify(troubles)}`, { cause: error });
  }
}

/** The cells of the table of versions, by row. */
export function table({ tab }: LivePage): Promise<Record<string, string[]>> {
  return tab.evaluate(`Object.fromEntries(
    [...document.querySelectorAll('#versions tbody tr')].map((row) => [
      row.querySelector('th').textContent,
      [...row.querySelectorAll('td')].map((cell) => cell.textContent),
    ]),
  )`);
}

/** How far the page reaches beyond its window, in pixels. */
export function overflow({ tab }: LivePage): Promise<number> {
  return tab.evaluate('document.documentElement.scrollWidth - innerWidth');
}
