/** Chromium for tests that look at a page as its users do. */
import { execFileSync } from 'node:child_process';
import { type Browser, chromium } from 'playwright-core';
import type { Test } from './tap.js';

/** Nothing of the browser itself may want to reach the network. */
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Where the browser is; null without one. */
export function browserPath(): string | null {
  try {
    return execFileSync('which', ['chromium'], { encoding: 'utf8' }).trim();
  } catch {
    return null;
  }
}

/** False where there is a browser, else why a test that needs one is skipped. */
export const noBrowser: string | false = browserPath() === null && 'chromium is not installed';

/** Started with a profile of its own, and gone with the test. */
export async function startBrowser(t: Test): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: browserPath()!, args });
  t.teardown(() => browser.close());
  return browser;
}
