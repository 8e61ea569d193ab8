/**
 * `umbra top`: a live view on a terminal, once a second, over the last ten. Without a terminal, and with
 * `--once`, it prints one plain snapshot of a second.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TopOptions } from '../../config/commands/top.js';
import { exitOk, exitUnreachable } from '../../config/exit-codes.js';
import { rollCallLines } from '../../core/fleet/roll-call.js';
import { rolloutNoteLines } from '../../core/report/rollout-note.js';
import { stats } from '../../core/report/stats.js';
import {
  plainLook,
  TOP_COLUMNS,
  type TopFrame,
  type TopLook,
  type TopSort,
  topLines,
} from '../../core/report/top-view.js';
import { type FigureSource, type Figures, figuresBetween, memberWindows, openFigures } from './figures.js';

const intervalMs = 1000;
/** Readings kept: the window that percentiles are of. */
const windowReadings = 10;
const keys = { quit: 'q', interrupt: '\x03', endOfInput: '\x04' };
const sortKeys: Readonly<Record<string, TopSort>> = {
  o: 'order',
  r: 'rate',
  e: 'errors',
  p: 'p99',
  n: 'name',
};
const troubleKey = 't';
const screen = {
  enter: '\x1b[?1049h\x1b[?25l',
  leave: '\x1b[?25h\x1b[?1049l',
  home: '\x1b[H',
  eraseLine: '\x1b[K',
  eraseBelow: '\x1b[J',
};

/** Resolves with the exit code: 0, or 4 where umbra can't be asked. Never rejects. */
export async function topCommand(options: TopOptions): Promise<number> {
  const isTerminal = process.stdout.isTTY === true && process.stdin.isTTY === true;
  let source: FigureSource | null = null;
  try {
    // What is wrong at the start is printed on the plain screen.
    source = await openFigures(options);
    const first = await source.look(false);
    if (options.output === 'json') await printJson(source, first);
    else if (options.once || !isTerminal) await printOnce(source, first);
    else await live(source, first);
    return exitOk;
  } catch (error) {
    process.stderr.write(`umbra top: ${(error as Error).message}\n`);
    return exitUnreachable;
  } finally {
    await source?.close();
  }
}

async function printOnce(source: FigureSource, first: Figures): Promise<void> {
  await sleep(intervalMs);
  const now = await source.look(false);
  const lines = topLines(frame(source, [first], now), TOP_COLUMNS, Number.MAX_SAFE_INTEGER);
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** `printJson` prints the statistics of a second, in the form of `/api/stats`. */
async function printJson(source: FigureSource, first: Figures): Promise<void> {
  await sleep(intervalMs);
  const now = await source.look(false);
  const window = figuresBetween(first, now);
  const figures = {
    source: source.name,
    window: stats(window),
    total: stats(now.reading),
    rollouts: now.rollouts,
  };
  process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
}

/** Until `q`, Ctrl-C or SIGTERM; umbra may go and come back meanwhile. */
async function live(source: FigureSource, first: Figures): Promise<void> {
  const { stdin, stdout } = process;
  const quit = new AbortController();
  let look: TopLook = { ...plainLook, isColoured: isColoured(process.env), isHelpful: true };
  const onKey = (typed: Buffer): void => {
    const key = typed.toString('latin1').toLowerCase();
    if ([keys.quit, keys.interrupt, keys.endOfInput].includes(key)) quit.abort();
    const sort = sortKeys[key];
    if (sort !== undefined) look = { ...look, sort };
    else if (key === troubleKey) look = { ...look, isTroubleOnly: !look.isTroubleOnly };
    else return;
    draw();
  };
  const onSignal = (): void => quit.abort();
  const readings = [first];
  let status = '';
  const draw = (): void => {
    const rows = Math.max(1, stdout.rows - 1);
    const now = readings[readings.length - 1];
    const lines = topLines(
      frame(source, readings, now),
      stdout.columns,
      rows - (status === '' ? 0 : 1),
      look,
    );
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
        const now = await source.look(false);
        if (now.reading.uptimeS < readings[readings.length - 1].reading.uptimeS) readings.length = 0;
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

/** `isColoured` follows no-color.org: any value of NO_COLOR but an empty one means no colour. */
function isColoured({ NO_COLOR = '', TERM = '' }: NodeJS.ProcessEnv): boolean {
  return NO_COLOR === '' && TERM !== 'dumb';
}

function frame({ name }: FigureSource, looks: readonly Figures[], now: Figures): TopFrame {
  const earliest = looks[0];
  // The first frame has no window yet: it is of everything since the start.
  const window = earliest === now ? now.reading : figuresBetween(earliest, now);
  const instances = now.members === null ? [] : rollCallLines(now.members, memberWindows(earliest, now));
  return { now: now.reading, window, source: name, instances, rollouts: rolloutNoteLines(now.rollouts) };
}

async function waited(signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(intervalMs, undefined, { signal });
    return true;
  } catch {
    return false;
  }
}
