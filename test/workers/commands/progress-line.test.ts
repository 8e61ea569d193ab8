import { ProgressLine } from '../../../workers/commands/progress-line.js';
import t from '../../support/tap.js';
import { until } from '../../support/umbra.js';

const eraseLine = '\r\x1b[K';

/** Shows what a terminal of one line would show of what was written. */
function screen(isTTY: boolean): {
  lines: string[];
  current(): string;
  terminal: ConstructorParameters<typeof ProgressLine>[1];
} {
  const lines: string[] = [];
  let current = '';
  const write = (text: string): void => {
    for (const [i, part] of text.split('\n').entries()) {
      if (i > 0) {
        lines.push(current);
        current = '';
      }
      const pieces = part.split(eraseLine);
      current = pieces.length > 1 ? pieces.at(-1)! : current + part;
    }
  };
  return { lines, current: () => current, terminal: { isTTY, write } };
}

t.test('messages and the line of progress do not run into each other', async (t) => {
  const { lines, current, terminal } = screen(true);
  const print = (line: string): void => void terminal!.write(`${line}\n`);
  const io = new ProgressLine({ out: print, err: print }, terminal);
  const end = io.show(() => '3 recorded');
  await until(() => current() === '3 recorded', 'progress is shown');
  io.err('NATS is gone');
  io.out('ready');
  await until(() => current() === '3 recorded', 'progress is shown again');
  io.erase();
  print('a line of the log');
  await until(() => current() === '3 recorded', 'progress is shown again');
  end();
  t.equal(current(), '');
  io.out('the end');
  t.strictSame(lines, ['NATS is gone', 'ready', 'a line of the log', 'the end']);
});

t.test('nothing is drawn where standard error is no terminal', async (t) => {
  const written: string[] = [];
  const terminal = { isTTY: false, write: (text: string) => void written.push(text) };
  const io = new ProgressLine({ out: () => {}, err: () => {} }, terminal);
  io.show(() => 'progress')();
  io.erase();
  t.strictSame(written, []);
});
