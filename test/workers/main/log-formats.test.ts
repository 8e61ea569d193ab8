/** The forms and levels of umbra's own log. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fstatSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ask } from '../../support/client.js';
import { Origin } from '../../support/origin.js';
import { refusedPort } from '../../support/raw-server.js';
import t from '../../support/tap.js';
import { reviews, runToEnd, UmbraProcess, until } from '../../support/umbra.js';

const module = fileURLToPath(new URL('../../../workers/main/log.js', import.meta.url));
const script = `
const { LogFilter, openLog } = await import(${JSON.stringify(module)});
const log = await openLog(new LogFilter(), { level: 'info', format: process.argv[1] });
log.debug({ hidden: 1 }, 'not written');
log.info({ version: 'v 1', n: 2 }, 'one');
log.warn('two\\nthree');
log.error({ problems: ['a'] }, 'four');
await log.follow({ level: 'error', format: process.argv[1] });
log.warn('not written either');
`;

/** What a log of this form writes, to a pipe. */
async function written(format: string, shell = ''): Promise<string> {
  const words = ['--input-type=module', '-e', script, format];
  const child =
    shell === ''
      ? spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'pipe'] })
      : spawn('sh', ['-c', shell, process.execPath, ...words], { stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  child.stderr!.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  await once(child, 'close');
  return text;
}

t.test('JSON lines have the level by name and the time as ISO 8601', async (t) => {
  const lines = (await written('json'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.match(
    lines.map(({ level, msg }) => [level, msg]),
    [
      ['info', 'one'],
      ['warn', 'two\nthree'],
      ['error', 'four'],
    ],
  );
  for (const { time } of lines) t.equal(new Date(time).toISOString(), time);
  t.match(lines[0], { version: 'v 1', n: 2 });
});

t.test('lines for the journal have a priority each, and the fields behind the message', async (t) => {
  t.equal(
    await written('journal'),
    '<6>one version="v 1" n=2\n<4>two\n<4>three\n<3>four problems="[\\"a\\"]"\n',
  );
});

t.test('text has the level and the message, without colours where it is not a terminal', async (t) => {
  const text = await written('text');
  t.match(text, /INFO: one\n/);
  t.match(text, /version: "v 1"/);
  t.notOk(text.includes('\x1b'));
});

t.test('auto is JSON for a pipe, and the journal where JOURNAL_STREAM names it', async (t) => {
  t.match(await written('auto'), /^\{"level":"info"/);
  const shell = 'JOURNAL_STREAM=$(stat -Lc "%d:%i" /proc/self/fd/2) exec "$0" "$@"';
  t.match(await written('auto', shell), /^<6>one/);
  t.match(await written('auto', 'JOURNAL_STREAM=1:1 exec "$0" "$@"'), /^\{/, 'of another stream');
  t.ok(fstatSync(2).ino >= 0);
});

t.test('a reload changes level and form, and a flag wins over the file', async (t) => {
  const origin = await Origin.listen();
  const endpoints = `http://127.0.0.1:${await refusedPort()}`;
  const config = (log: object) => reviews(origin.port, null, { v1: { endpoints }, umbra: { log } });
  const umbra = await UmbraProcess.start(config({ level: 'error' }));
  t.teardown(async () => {
    await umbra.stop();
    await origin.close();
  });
  t.equal((await ask(umbra.port)).status, 502);
  await until(async () => (await umbra.stats()).versions.v1!.endpoints[0]!.lastError !== null, 'it is known');
  t.equal(umbra.err, '');
  umbra.file.write(config({ level: 'info', format: 'journal' }));
  await umbra.logged(/^<6>configuration reloaded/m);
  const { code, err } = await runToEnd('run', '-v', '-q', umbra.file.path);
  t.equal(code, 2);
  t.match(err, /--verbose and --quiet exclude each other/);
});
