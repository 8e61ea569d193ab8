import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { nowUs, wallClockMs } from '../../../core/clock.js';
import { Drop, Failure, none } from '../../../core/errors.js';
import { Framing } from '../../../core/http/message.js';
import { FileSink } from '../../../core/recording/file-sink.js';
import { Redactor } from '../../../core/recording/redactor.js';
import { redactNothingMore } from '../../../core/redact.js';
import { copyOf } from '../../support/copies.js';
import { requestsIn } from '../../support/recorded.js';
import t from '../../support/tap.js';

const kept = { segmentMs: 60_000, diskBytesMax: 1e9, compress: true };

function sinkIn(
  settings: ConstructorParameters<typeof FileSink>[0],
  onState: (trouble: Error | null) => void = (trouble) => t.equal(trouble, null),
): FileSink {
  return new FileSink(settings, new Redactor(redactNothingMore), {
    clock: nowUs,
    wallClockMs,
    randomBytes: () => Buffer.alloc(16, 7),
    software: 'umbra',
    onState,
  });
}

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
  const sink = sinkIn({ directory, segmentBytes: 1e6, ...kept }, (trouble) => {
    states.push(trouble === null ? 'up' : 'down');
    if (trouble === null) up();
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

t.test(
  'every copy is settled once, and what is settled well is on disk, the newest within the budget',
  async (t) => {
    const parent = mkdtempSync(join(tmpdir(), 'umbra-sink-'));
    t.teardown(() => rmSync(parent, { recursive: true, force: true }));
    const alive = setInterval(() => {}, 1000);
    t.teardown(() => clearInterval(alive));
    const copies = fc.array(
      fc.record({
        body: fc.uint8Array({ maxLength: 3000 }),
        compress: fc.boolean(),
        after: fc.constantFrom('nothing', 'flush', 'turn'),
      }),
      { minLength: 1, maxLength: 60 },
    );
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(copies, async (made) => {
        const directory = join(parent, String(++runs));
        const settings = { ...kept, directory, segmentBytes: 8_000, diskBytesMax: 40_000 };
        const sink = sinkIn(settings);
        const settled: number[] = [];
        for (const [i, { body, compress, after }] of made.entries()) {
          sink.follow({ ...settings, compress }, new Redactor(redactNothingMore));
          const copy = copyOf({
            target: `/${i}`,
            method: 'POST',
            framing: Framing.LENGTH,
            lengthZero: body.byteLength === 0,
            body: [body],
            bodyBytes: body.byteLength,
            settled: (failure, bytes) => {
              t.equal(failure, none);
              t.ok(bytes > 0);
              settled.push(i);
            },
          });
          t.equal(sink.put(copy), none);
          if (after !== 'nothing') sink.flush();
          if (after === 'turn') await new Promise(setImmediate);
        }
        await sink.close();
        t.strictSame(settled, [...made.keys()], 'in their order');
        const targets = requestsIn(directory).map(({ request }) => Number(/ \/(\d+) /.exec(request)![1]));
        t.strictSame(targets, [...made.keys()].slice(made.length - targets.length), 'the newest are there');
        const files = readdirSync(directory);
        const bytes = files.reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
        // One write may be larger than a segment: it is not divided.
        t.ok(bytes <= 40_000 || files.length === 1, `${bytes} bytes in ${files.length} files`);
        t.notOk(files.some((name) => name.endsWith('.open')));
      }),
      { numRuns: 25 },
    );
  },
);
