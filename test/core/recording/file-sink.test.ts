import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { nowUs, wallClockMs } from '../../../core/clock.js';
import { Drop, Failure, none } from '../../../core/errors.js';
import { FileSink } from '../../../core/recording/file-sink.js';
import { Redactor } from '../../../core/recording/redactor.js';
import { redactNothingMore } from '../../../core/redact.js';
import { copyOf } from '../../support/copies.js';

t.test('a recording that found no room is up again when there is room, without a request', async (t) => {
  const parent = mkdtempSync(join(tmpdir(), 'umbra-sink-'));
  t.teardown(() => rmSync(parent, { recursive: true, force: true }));
  const directory = join(parent, 'recordings');
  // The sink's own timers keep no process alive.
  const alive = setInterval(() => {}, 1000);
  t.teardown(() => clearInterval(alive));
  // A file in the place of the directory.
  writeFileSync(directory, '');
  let up!: () => void;
  const isUp = new Promise<void>((resolve) => {
    up = resolve;
  });
  const states: string[] = [];
  const settings = { directory, segmentBytes: 1e6, segmentMs: 60_000, diskBytesMax: 1e9, compress: true };
  const sink = new FileSink(settings, new Redactor(redactNothingMore), {
    clock: nowUs,
    wallClockMs,
    randomBytes: () => Buffer.alloc(16, 7),
    software: 'umbra',
    onState: (trouble) => {
      states.push(trouble === null ? 'up' : 'down');
      if (trouble === null) up();
    },
  });
  const outcomes: number[] = [];
  let segments = 0;
  const copy = () =>
    Object.assign(copyOf({}), {
      settled: (failure: number) => void outcomes.push(failure),
      segmentBegun: () => void segments++,
    });
  sink.put(copy());
  sink.flush();
  while (sink.trouble() === none) await new Promise(setImmediate);
  t.equal(sink.trouble(), Drop.UNWRITABLE);
  rmSync(directory);
  await isUp;
  t.equal(sink.trouble(), none);
  t.equal(sink.refuses(), none);
  t.equal(segments, 0, 'no copy has a file yet');
  sink.put(copy());
  await sink.close();
  t.strictSame(outcomes, [Failure.WRITE, none]);
  t.strictSame([states, segments, readdirSync(directory).length], [['down', 'up'], 1, 1]);
});
