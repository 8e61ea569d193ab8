/**
 * `umbra top`: a live view on a terminal, once a second, over the last ten. On anything that is no terminal, and with `--once`, it prints one
 * plain snapshot of a second.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { between } from '../../core/report/between.js';
import type { Reading } from '../../core/report/reading.js';
import { TOP_COLUMNS, type TopFrame, topLines } from '../../core/report/top-view.js';
import type { AdminPlace } from './admin-client.js';
import { readFigures } from './figures.js';

export interface TopOptions extends AdminPlace {
  readonly once: boolean;
}

const exitOk = 0;
const exitFailure = 1;
const intervalMs = 1000;
/** Readings kept: the window that percentiles are of. */
const windowReadings = 10;
const keys = { quit: 'q', interrupt: '\x03', endOfInput: '\x04' };
const screen = {
  enter: '\x1b[?1049h\x1b[?25l',
  leave: '\x1b[?25h\x1b[?1049l',
  home: '\x1b[H',
  eraseLine: '\x1b[K',
  eraseBelow: '\x1b[J',
};

/** Resolves with the exit code. Never rejects. */
export async function topCommand(options: TopOptions): Promise<number> {
  const isTerminal = process.stdout.isTTY === true && process.stdin.isTTY === true;
  try {
    // What is wrong at the start is told on the plain screen.
    const first = await readFigures(options);
    if (options.once || !isTerminal) await printOnce(options, first);
    else await live(options, first);
    return exitOk;
  } catch (error) {
    process.stderr.write(`umbra top: ${(error as Error).message}\n`);
    return exitFailure;
  }
}

async function printOnce(options: TopOptions, first: Reading): Promise<void> {
  await sleep(intervalMs);
  const now = await readFigures(options);
  const lines = topLines(frame(options, [first], now), TOP_COLUMNS, Number.MAX_SAFE_INTEGER);
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** Until `q`, Ctrl-C or SIGTERM; umbra may go and come back meanwhile. */
async function live(options: TopOptions, first: Reading): Promise<void> {
  const { stdin, stdout } = process;
  const quit = new AbortController();
  const onKey = (key: Buffer): void => {
    if ([keys.quit, keys.interrupt, keys.endOfInput].includes(key.toString('latin1').toLowerCase()))
      quit.abort();
  };
  const onSignal = (): void => quit.abort();
  const readings = [first];
  let status = '';
  const draw = (): void => {
    const rows = Math.max(1, stdout.rows - 1);
    const now = readings[readings.length - 1];
    const lines = topLines(frame(options, readings, now), stdout.columns, rows - (status === '' ? 0 : 1));
    if (status !== '') lines.push([...status].slice(0, stdout.columns).join(''));
    // One write, over what is there: the screen is never empty in between.
    stdout.write(
      `${screen.home}${lines.map((line) => `${line}${screen.eraseLine}\r\n`).join('')}${screen.eraseBelow}`,
    );
  };
  stdin.setRawMode(true);
  stdin.on('data', onKey);
  stdout.on('resize', draw);
  process.once('SIGTERM', onSignal);
  stdout.write(screen.enter);
  try {
    draw();
    while (await waited(quit.signal)) {
      try {
        const now = await readFigures(options);
        if (now.uptimeS < readings[readings.length - 1].uptimeS) readings.length = 0;
        readings.push(now);
        if (readings.length > windowReadings) readings.shift();
        status = '';
      } catch (error) {
        status = (error as Error).message;
      }
      draw();
    }
  } finally {
    stdout.write(screen.leave);
    stdin.setRawMode(false);
    stdin.off('data', onKey);
    stdin.pause();
    stdout.off('resize', draw);
    process.off('SIGTERM', onSignal);
  }
}

function frame({ admin }: TopOptions, readings: readonly Reading[], now: Reading): TopFrame {
  const earliest = readings[0];
  // The first frame has no window yet: it is of everything since the start.
  return { now, window: earliest === now ? now : between(earliest, now), source: admin };
}

async function waited(signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(intervalMs, undefined, { signal });
    return true;
  } catch {
    return false;
  }
}
