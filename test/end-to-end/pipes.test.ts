// Runs over one engine: commands have no engine.
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as passed } from 'node:timers/promises';
import { intervalLine, logHeader } from '../../core/hlog/log-line.js';
import { latencies } from '../core/report/reading.js';
import { Origin } from '../support/origin.js';
import t from '../support/tap.js';
import { Output, reviews, spawnUmbra, UmbraProcess } from '../support/umbra.js';

t.test('a reader that has had enough, as `head` has, is no failure', async (t) => {
  const v1 = await Origin.listen();
  const umbra = await UmbraProcess.start(reviews(v1.port, null));
  t.teardown(async () => {
    await umbra.stop();
    await v1.close();
  });
  for (const words of [
    ['report', '--admin', umbra.adminUrl, '-o', '-'],
    ['top', '--once', '--admin', umbra.adminUrl],
  ]) {
    const child = spawnUmbra(...words);
    const output = new Output(child);
    child.stdout!.destroy();
    t.strictSame([await once(child, 'close'), output.err], [[0, null], ''], words[0]);
  }
});

t.test('neither is one that does not listen to troubles, of which there are none', async (t) => {
  const child = spawnUmbra('--version');
  const output = new Output(child);
  child.stderr!.destroy();
  const [code] = await once(child, 'close');
  t.equal(code, 0);
  t.match(output.out, /^\d+\.\d+\.\d+\n$/);
});

t.test('what a command wrote is not lost on a reader that takes its time', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'umbra-pipes-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  // A line of the report for each, of about a hundred characters: more than a pipe takes.
  const count = 3000;
  const path = join(directory, 'many.hlog');
  const values = latencies(10);
  const lines = Array.from({ length: count }, (_, i) => intervalLine(`v${i}:primary`, 1000, 2000, values));
  writeFileSync(path, logHeader(0) + lines.join(''));
  const child = spawnUmbra('report', '--hlog', path, '-o', '-');
  // Longer than what is left over may hold a command: it would be over by then if nobody waited for the
  // reader.
  await Promise.race([once(child, 'exit'), passed(3000)]);
  const output = new Output(child);
  await once(child, 'close');
  t.equal(output.out.match(/^ {2}v\d+ primary /gm)?.length, count, output.err);
});
