/** Opens a page in the user's browser, if there is one. */
import { spawn } from 'node:child_process';

const openers: Readonly<Partial<Record<NodeJS.Platform, string>>> = { darwin: 'open', linux: 'xdg-open' };

export function openInBrowser(url: string): void {
  const opener = openers[process.platform];
  if (opener === undefined) return;
  // A missing browser is not an error: the address was printed.
  spawn(opener, [url], { stdio: 'ignore', detached: true })
    .on('error', () => {})
    .unref();
}
