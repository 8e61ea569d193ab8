/**
 * `npm run bench -- page`: what the live page costs a browser. A real umbra with many routes under load is
 * watched by Chromium, whose tracing says how long each task of the page's main thread took. Times are of
 * the processor, not of the clock, so that a busy machine does not change them. A frame has 16.7 ms: a task
 * that takes longer misses one.
 */
import { parseArgs } from 'node:util';
import type { Browser } from 'playwright-core';
import { chromium } from 'playwright-core';
import { browserPath } from '../test/support/browser.js';
import { Scene } from '../test/support/scene.js';

const frameMs = 16.7;
/** Loading and the first drawing of everything are not what is measured. */
const warmUpMs = 6000;
const usage =
  'usage: npm run bench -- page [--routes 100] [--seconds 20] [--path "#/routes/cart"] [--all]\n\n' +
  '--all shows all rows of mirrors and versions first\n';

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/** Resolves with the exit code: 1 where a task missed a frame, 2 without a browser or with wrong options. */
export async function pageBench(words: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      routes: { type: 'string', default: '100' },
      seconds: { type: 'string', default: '20' },
      path: { type: 'string', default: '' },
      all: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [routes, seconds] = [Number(values.routes), Number(values.seconds)];
  const executablePath = browserPath();
  if (values.help || !(routes >= 1 && seconds >= 1) || executablePath === null) {
    process.stderr.write(executablePath === null ? 'bench: chromium is not installed\n' : usage);
    return values.help ? 0 : 2;
  }
  const scene = await Scene.start({ routes, trouble: true });
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
  try {
    const tasks = await tasksOf(browser, `${scene.umbra.adminUrl}/${values.path}`, seconds, values.all);
    return print(tasks, routes, seconds);
  } finally {
    await browser.close();
    await scene.stop();
  }
}

/** The tasks of the page's main thread in milliseconds of processor time, ascending. */
async function tasksOf(browser: Browser, url: string, seconds: number, isAll: boolean): Promise<number[]> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(url);
  await page.waitForSelector('#state[data-state="live"]');
  await page.waitForTimeout(warmUpMs);
  if (isAll) {
    const button = page.locator('.rows > button.link');
    if (await button.isVisible()) await button.click();
    await page.locator('#versions summary').click();
    await page.waitForTimeout(warmUpMs);
  }
  await browser.startTracing(page, { categories: ['toplevel', '__metadata'] });
  await page.waitForTimeout(seconds * 1000);
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString('utf8')) as {
    traceEvents: TraceEvent[];
  };
  const mains = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid} ${tid}`),
  );
  return traceEvents
    .filter(({ name, pid, tid }) => name.endsWith('RunTask') && mains.has(`${pid} ${tid}`))
    .map(({ tdur, dur }) => (tdur ?? dur ?? 0) / 1000)
    .sort((a, b) => a - b);
}

function print(tasks: readonly number[], routes: number, seconds: number): number {
  const at = (p: number): string => `${(tasks[Math.ceil(tasks.length * p) - 1] ?? 0).toFixed(2)} ms`;
  const busy = tasks.reduce((sum, one) => sum + one, 0) / (seconds * 1000);
  const missed = tasks.filter((one) => one > frameMs).length;
  process.stdout.write(
    `${routes} routes, ${seconds} s, ${tasks.length} tasks of the main thread\n` +
      `p50 ${at(0.5)}   p99 ${at(0.99)}   p99.9 ${at(0.999)}   longest ${at(1)}\n` +
      `busy ${(busy * 100).toFixed(1)} %, ${missed} tasks above ${frameMs} ms\n`,
  );
  return missed === 0 && tasks.length > 0 ? 0 : 1;
}
