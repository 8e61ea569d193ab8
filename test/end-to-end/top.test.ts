// Runs over one engine: commands have no engine.
/** `umbra top` on a terminal: util-linux's `script` gives it one. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { askMany } from '../support/client.js';
import { Origin } from '../support/origin.js';
import t, { type Test } from '../support/tap.js';
import { reviews, UmbraProcess, until } from '../support/umbra.js';

const binary = fileURLToPath(new URL('../../../bin/umbra.js', import.meta.url));
const hasScript = spawnSync('script', ['--version']).stdout?.toString().includes('util-linux') ?? false;
const skip = !hasScript && 'there is no `script` of util-linux here, which gives a program a terminal';
const enter = '\x1b[?1049h\x1b[?25l';
const leave = '\x1b[?25h\x1b[?1049l';

class Terminal {
  said = '';
  readonly #child;
  readonly #closed;

  /** 80 columns and 24 rows. */
  constructor(t: Test, command: string) {
    const line = `stty rows 24 cols 80; export NO_COLOR=1; exec ${command}`;
    this.#child = spawn('env', ['-u', 'NODE_OPTIONS', 'script', '-qefc', line, '/dev/null']);
    this.#closed = once(this.#child, 'close');
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.said += text;
    });
    t.teardown(() => this.#child.kill());
  }

  type(keys: string): void {
    this.#child.stdin.write(keys);
  }

  /** The exit code of the command. */
  async ended(): Promise<number | null> {
    const [code] = await this.#closed;
    return code as number | null;
  }

  /** The lines that stand there now: each frame is drawn over the last one. */
  get lines(): string[] {
    const frame = this.said.split('\x1b[H').at(-1)!.split('\x1b[J')[0]!;
    return frame.replaceAll('\r', '').split('\x1b[K\n').slice(0, -1);
  }
}

t.test(
  'on a terminal it draws the versions once a second until q, and leaves the screen as it was',
  { skip },
  async (t) => {
    const [v1, v2] = [await Origin.listen(), await Origin.listen()];
    const umbra = await UmbraProcess.start(reviews(v1.port, v2.port));
    t.teardown(async () => {
      await umbra.stop();
      await Promise.all([v1.close(), v2.close()]);
    });
    await askMany(umbra.port, 50, 4, () => ({}));
    await umbra.atRest();
    const top = `'${process.execPath}' '${binary}' top --admin ${umbra.adminUrl}`;
    const terminal = new Terminal(t, top);
    const frames = () => terminal.said.split('\x1b[H').length - 1;
    await until(() => frames() >= 3, 'three frames are drawn');
    t.match(terminal.said.indexOf(enter), 0, 'on a screen of its own, without a cursor');
    const { lines } = terminal;
    t.ok(lines.length > 3 && lines.length < 24, `${lines.length} lines fit into 24 rows`);
    for (const line of lines) t.ok(line.length <= 80, line);
    t.match(lines.join('\n'), /^VERSION +.*\n(.*\n)*v1 .*\n(.*\n)*v2 /m);
    t.match(lines.join('\n'), /^ENDPOINT .*\nv1 127\.0\.0\.1:\d+ +unchecked/m);
    t.match(lines.at(-1), '(now: order)');
    t.notMatch(terminal.said, '\x1b[1m', 'NO_COLOR is respected');
    terminal.type('n');
    await until(() => terminal.lines.at(-1)?.includes('(now: name)') ?? false, 'a key sorts at once');
    terminal.type('q');
    t.equal(await terminal.ended(), 0);
    t.ok(terminal.said.trimEnd().endsWith(leave), 'the screen and the cursor are back');
  },
);

t.test(
  'Ctrl-C ends it too, and an umbra that goes away is said below what was last known',
  { skip },
  async (t) => {
    const v1 = await Origin.listen();
    const umbra = await UmbraProcess.start(reviews(v1.port, null));
    t.teardown(() => v1.close());
    const terminal = new Terminal(t, `'${process.execPath}' '${binary}' top --admin ${umbra.adminUrl}`);
    await until(() => terminal.lines.length > 1, 'a frame is drawn');
    await umbra.stop();
    await until(() => /cannot reach umbra at .*ECONNREFUSED/.test(terminal.lines.at(-1) ?? ''), 'it says so');
    t.match(terminal.lines.join('\n'), /^v1 /m);
    terminal.type('\x03');
    t.equal(await terminal.ended(), 0);
    t.ok(terminal.said.trimEnd().endsWith(leave));
  },
);
