import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LogParser } from '../../../core/hlog/log-parser.js';
import { MergedLog } from '../../../core/hlog/merged.js';
import { MirrorCounters } from '../../../core/record/mirror-counters.js';
import { VersionCounters } from '../../../core/record/version-counters.js';
import { noPlane, type Observed, openObserved } from '../../../core/report/observed.js';
import { HistogramLog, type KeptMark } from '../../../workers/control/histogram-log.js';
import { plan } from '../../core/report/sample.js';
import t, { type Test } from '../../support/tap.js';
import { until } from '../../support/umbra.js';

/** Far enough away that only `close` and plans write. */
const NEVER_MS = 1_000_000;

interface Rig {
  readonly directory: string;
  readonly kept: KeptMark[];
  readonly warnings: string[];
  readonly latency: VersionCounters;
  readonly mirror: MirrorCounters;
  observed(intervalMs: number | null): Observed;
  open(): HistogramLog;
  read(file: string): { byTag: Record<string, MergedLog>; problems: string[]; text: string };
}

function rig(t: Test): Rig {
  const directory = join(t.testdir(), 'hlog');
  const block = VersionCounters.create();
  const mirrorBlock = MirrorCounters.create();
  const kept: KeptMark[] = [];
  const warnings: string[] = [];
  return {
    directory,
    kept,
    warnings,
    latency: new VersionCounters(block),
    mirror: new MirrorCounters(mirrorBlock),
    observed: (intervalMs) =>
      openObserved(
        {
          plan: { ...plan, histograms: intervalMs === null ? null : { directory, intervalMs } },
          startedUs: 0,
          engine: 'node',
          versions: [{ name: 'v2', role: 'shadow', blocks: [block] }],
          mirrors: [
            { route: 'reviews', to: 'v2', baselineOf: null, isSink: false, slot: 0, blocks: [mirrorBlock] },
          ],
          ...noPlane(),
        },
        () => 0,
      ),
    open: () =>
      new HistogramLog({
        kept: [...kept],
        keep: (mark) => kept.push(mark),
        warn: (line) => warnings.push(line),
      }),
    read: (file) => {
      const text = readFileSync(join(directory, file), 'utf8');
      const byTag: Record<string, MergedLog> = {};
      const problems: string[] = [];
      const parser = new LogParser(
        (interval) => {
          byTag[String(interval.tag)] ??= new MergedLog();
          byTag[String(interval.tag)].add(interval);
        },
        ({ line, message }) => problems.push(`${line}: ${message}`),
      );
      for (const line of text.split('\n')) parser.line(line);
      return { byTag, problems, text };
    },
  };
}

/** One life of the log: what `during` records is in it. */
async function live(rig: Rig, during: () => void): Promise<HistogramLog> {
  const log = rig.open();
  log.apply(rig.observed(NEVER_MS));
  during();
  await log.close();
  return log;
}

t.test('latencies and differences of a version are in its file, apart by tag', async (t) => {
  const it = rig(t);
  const log = await live(it, () => {
    for (const us of [100, 200, 3000]) it.latency.latency.record(us);
    it.mirror.recordDelta(50);
    it.mirror.recordDelta(-70);
    it.mirror.recordDelta(-80);
  });
  const { byTag, problems } = it.read('v2.shadow.hlog');
  t.strictSame(problems, []);
  t.strictSame(
    Object.entries(byTag).map(([tag, { count, maxMs }]) => [tag, count, maxMs]),
    [
      ['v2:shadow', 3, 3],
      ['v2:slower:reviews', 1, 0.05],
      ['v2:faster:reviews', 2, 0.08],
    ],
  );
  t.strictSame(log.counts, { lines: 3, errors: 0 });
});

t.test('a control thread that takes over writes nothing twice and leaves nothing out', async (t) => {
  const it = rig(t);
  await live(it, () => it.latency.latency.record(100));
  it.latency.latency.record(200);
  await live(it, () => it.latency.latency.record(300));
  await live(it, () => {});
  const { byTag, text } = it.read('v2.shadow.hlog');
  t.equal(byTag['v2:shadow'].count, 3);
  t.equal(byTag['v2:shadow'].intervals, 3, 'an idle interval has its line');
  t.equal(text.match(/#\[StartTime/g)?.length, 3, 'each life begins with a header');
});

t.test(
  'intervals follow each other while it runs, and a file that was moved away is begun again',
  async (t) => {
    const it = rig(t);
    const log = it.open();
    log.apply(it.observed(2));
    t.teardown(() => log.close());
    it.latency.latency.record(1);
    await until(() => log.counts.lines > 3, 'lines are written');
    renameSync(join(it.directory, 'v2.shadow.hlog'), join(it.directory, 'old'));
    it.latency.latency.record(2);
    await until(() => existsSync(join(it.directory, 'v2.shadow.hlog')), 'the file is there again');
    await log.close();
    const [old, begun] = [it.read('old'), it.read('v2.shadow.hlog')];
    t.strictSame([...old.problems, ...begun.problems], []);
    t.match(begun.text, /^#\[Logged with umbra/);
    t.equal(old.byTag['v2:shadow'].count + begun.byTag['v2:shadow'].count, 2);
  },
);

t.test('a directory that is removed is made again', async (t) => {
  const it = rig(t);
  await live(it, () => it.latency.latency.record(1));
  rmSync(it.directory, { recursive: true });
  const log = await live(it, () => it.latency.latency.record(2));
  t.equal(log.counts.errors, 0);
  t.equal(it.read('v2.shadow.hlog').byTag['v2:shadow'].count, 1);
});

t.test('a line that a crash cut short is ended first, and costs itself alone', async (t) => {
  const it = rig(t);
  await live(it, () => it.latency.latency.record(1));
  const path = join(it.directory, 'v2.shadow.hlog');
  writeFileSync(path, readFileSync(path, 'utf8').slice(0, -10));
  await live(it, () => it.latency.latency.record(2));
  const { byTag, problems } = it.read('v2.shadow.hlog');
  t.equal(problems.length, 1);
  t.equal(byTag['v2:shadow'].count, 1);
});

t.test(
  'what a full disk refuses is counted, logged once, and part of the next interval',
  { skip: existsSync('/dev/full') ? false : '/dev/full is not there' },
  async (t) => {
    const it = rig(t);
    const path = join(it.directory, 'v2.shadow.hlog');
    mkdirSync(it.directory);
    symlinkSync('/dev/full', path);
    const log = it.open();
    log.apply(it.observed(2));
    it.latency.latency.record(1);
    await until(() => log.counts.errors > 2, 'writes fail');
    t.match(it.warnings, [/v2\.shadow\.hlog can't be written: .*ENOSPC/]);
    t.equal(log.counts.lines, 0);
    rmSync(path);
    it.latency.latency.record(2);
    await until(() => log.counts.lines > 0, 'a line is written');
    await log.close();
    t.equal(it.read('v2.shadow.hlog').byTag['v2:shadow'].count, 2);
    t.match(it.warnings[1], /can be written again/);
  },
);

t.test('a directory that is a file stops nothing', async (t) => {
  const it = rig(t);
  writeFileSync(it.directory, '');
  const log = await live(it, () => it.latency.latency.record(1));
  t.equal(log.counts.errors, 1);
  t.match(it.warnings, [/can't be written: .*ENOTDIR/]);
});

t.test(
  'switched on by a reload, it holds what comes from then on; switched off, it ends whole',
  async (t) => {
    const it = rig(t);
    const log = it.open();
    log.apply(it.observed(null));
    it.latency.latency.record(1);
    log.apply(it.observed(NEVER_MS));
    it.latency.latency.record(2);
    it.latency.latency.record(3);
    log.apply(it.observed(null));
    await until(() => log.counts.lines > 0, 'the last interval is written');
    await log.close();
    t.equal(it.read('v2.shadow.hlog').byTag['v2:shadow'].count, 2);
  },
);

t.test('an interval begins where the one before ended', async (t) => {
  const it = rig(t);
  const log = it.open();
  log.apply(it.observed(2));
  await until(() => log.counts.lines > 4, 'lines are written');
  await log.close();
  const spans: [number, number][] = [];
  const parser = new LogParser(
    ({ startS, lengthS }) => spans.push([startS, startS + lengthS]),
    () => {},
  );
  for (const line of readFileSync(join(it.directory, 'v2.shadow.hlog'), 'utf8').split('\n'))
    parser.line(line);
  for (let i = 1; i < spans.length; i++) t.ok(Math.abs(spans[i][0] - spans[i - 1][1]) < 0.002);
});
