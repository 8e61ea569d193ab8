import fc from 'fast-check';
import { decodeFromCompressedBase64, HistogramLogReader, listTags } from 'hdr-histogram-js';
import { intervalLine, logHeader } from '../../../core/hlog/log-line.js';
import { type LogInterval, LogParser, type LogProblem } from '../../../core/hlog/log-parser.js';
import { MergedLog } from '../../../core/hlog/merged.js';
import { parseTag } from '../../../core/hlog/series.js';
import type { Histogram } from '../../../core/record/histogram.js';
import t from '../../support/tap.js';
import { histogramOf, latencies } from './support.js';

const START_MS = 1_700_000_000_250;

/** A log of another tool, written by hand: nanoseconds, relative times, an untagged and a tagged line. */
const foreign = `#[Logged with jHiccup version 2.0.7-SNAPSHOT]
#[Histogram log format version 1.2]
#[StartTime: 1441812279.474 (seconds since epoch), Wed Sep 09 08:24:39 PDT 2015]
"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"
0.127,1.007,2.769,HISTFAAAAEV42pNpmSzMwMCgyAABTBDKT4GBgdnNYMcCBvsPEBEJISEuATEZMQ4uASkhIR4nrxg9v2lMaxhvMekILGZkKmcCAEf2CsI=
Tag=A,1.134,0.999,0.442,HISTFAAAAEJ42pNpmSzMwMAgxwABTBDKT4GBgdnNYMcCBvsPEBEWLj45FTExAT4pBSEBKa6UkAgBi1uM7xjfMMlwMDABAC0CCjM=
`;

function parse(text: string): { intervals: LogInterval[]; problems: LogProblem[] } {
  const intervals: LogInterval[] = [];
  const problems: LogProblem[] = [];
  const parser = new LogParser(
    (interval) => intervals.push(interval),
    (problem) => problems.push(problem),
  );
  for (const line of text.split('\n')) parser.line(line);
  return { intervals, problems };
}

function merged(text: string): MergedLog {
  const log = new MergedLog();
  for (const interval of parse(text).intervals) log.add(interval);
  return log;
}

/** Slots and counts, wherever the histogram begins. */
function slots(histogram: Histogram): [number, number][] {
  const found: [number, number][] = [];
  histogram.forEachSlot((_, count, slot) => found.push([slot, count]));
  return found;
}

t.test('merged logs of several instances equal the whole, slot by slot', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.array(latencies, { maxLength: 5 }), { minLength: 1, maxLength: 4 }), (files) => {
      const texts = files.map(
        (intervals) =>
          logHeader(START_MS) +
          intervals
            .map((values, i) =>
              intervalLine(
                'v1:primary',
                START_MS + i * 1000,
                START_MS + i * 1000 + 1000,
                histogramOf(values),
              ),
            )
            .join(''),
      );
      const whole = histogramOf(files.flat(2));
      const together = merged(texts.join('')).histogram();
      return (
        together.count === whole.count &&
        together.maxUs === whole.maxUs &&
        JSON.stringify(slots(together)) === JSON.stringify(slots(whole)) &&
        together.percentileUs(99) === whole.percentileUs(99)
      );
    }),
  );
  t.pass('for every example');
});

t.test('a line has the format that the standard tools read', async (t) => {
  const histogram = histogramOf([1500, 2500, 1_234_567]);
  const text = logHeader(START_MS) + intervalLine('v2:shadow', START_MS, START_MS + 10_000, histogram);
  const lines = text.split('\n');
  t.equal(lines[1], '#[Histogram log format version 1.3]');
  t.equal(lines[2], '#[StartTime: 1700000000.250 (seconds since epoch), 2023-11-14T22:13:20.250Z]');
  t.equal(lines[3], '#[BaseTime: 0.000 (seconds since epoch)]');
  t.match(lines[5], /^Tag=v2:shadow,1700000000\.250,10\.000,1234\.567,HISTFAAA[\w+/]+=*$/);
  const reader = new HistogramLogReader(text, 64);
  const theirs = reader.nextIntervalHistogram();
  t.equal(theirs?.totalCount, 3);
  t.equal(theirs?.tag, 'v2:shadow');
  t.equal(theirs?.startTimeStampMsec, START_MS);
  t.equal(theirs?.endTimeStampMsec, START_MS + 10_000);
  t.equal(reader.nextIntervalHistogram(), null);
  t.strictSame(listTags(text), ['v2:shadow']);
});

t.test('a log that a later process continued has absolute times throughout', async (t) => {
  const one = (atMs: number) =>
    logHeader(atMs) + intervalLine('v1:primary', atMs, atMs + 1000, histogramOf([10]));
  const { intervals, problems } = parse(one(START_MS) + one(START_MS + 3_600_000));
  t.strictSame(problems, []);
  t.strictSame(
    intervals.map(({ startS }) => startS),
    [START_MS / 1000, START_MS / 1000 + 3600],
  );
});

t.test('a log of another tool is read with its tags, its times and its unit', async (t) => {
  const { intervals, problems } = parse(foreign);
  t.strictSame(problems, []);
  t.strictSame(
    intervals.map(({ tag, startS, lengthS }) => [tag, Math.round(startS * 1000), lengthS]),
    [
      [null, 1441812279601, 1.007],
      ['A', 1441812280608, 0.999],
    ],
  );
  const log = merged(foreign);
  const payloads = foreign.match(/HISTF\S+/g)!;
  const expected = payloads.reduce(
    (sum, payload) => sum + decodeFromCompressedBase64(payload, 64).totalCount,
    0,
  );
  t.equal(log.count, expected);
  t.equal(log.unit(), 'nanoseconds');
  t.equal(log.percentile(100), 2_768_895, 'what Interval_Max says, in nanoseconds');
  const histogram = log.histogram();
  t.equal(histogram.count, expected);
  t.equal(histogram.maxUs, 2769, 'in microseconds');
});

t.test('a file that was cut short is read as far as it goes, and the line is reported', async (t) => {
  const line = intervalLine('v1:primary', START_MS, START_MS + 1000, histogramOf([10, 20_000, 3_000_000]));
  const good = logHeader(START_MS) + line + line;
  const whole = good.length - line.length;
  // Without its padding and line end it is whole.
  const cutMax = good.trimEnd().replace(/=+$/, '').length;
  for (let cut = whole + 1; cut < cutMax; cut++) {
    const { intervals, problems } = parse(good.slice(0, cut));
    if (intervals.length !== 1 || problems[0]?.line !== 7) t.fail(`cut at ${cut - whole}`);
  }
  t.match(parse(good.slice(0, -20)).problems, [{ line: 7, message: /cut short|damaged/ }]);
});

t.test('other text is reported by line and never taken for an interval', async (t) => {
  const { intervals, problems } = parse('hello\n\n1,2\n{"a":1,"b":2}\n0.1,1.0,2.0,AAAA\n-1,1,1,HISTFAAA\n');
  t.equal(intervals.length, 0);
  t.strictSame(
    problems.map(({ line }) => line),
    [1, 3, 4, 5, 6],
  );
  t.match(problems[0].message, 'not a line of a histogram log: "hello"');
});

t.test('intervals of another shape are counted by value, and counted as such', async (t) => {
  const log = new MergedLog();
  const [interval] = parse(
    logHeader(0) + intervalLine('a', 0, 1000, histogramOf([5, 5000, 5_000_000])),
  ).intervals;
  log.add(interval);
  log.add({ ...interval, counts: { shape: { lowest: 1, digits: 2 }, slots: [5], counts: [7] } });
  t.equal(log.reshaped, 1);
  t.equal(log.count, 10);
  t.equal(log.percentile(50), 5);
});

t.test('a tag names version, role and route, and foreign tags name nothing', async (t) => {
  t.strictSame(parseTag('v1.2:primary'), { kind: 'latency', version: 'v1.2', role: 'primary' });
  t.strictSame(parseTag('v2:slower:reviews'), { kind: 'slower', version: 'v2', route: 'reviews' });
  for (const tag of ['A', '', ':primary', 'v1:primary:x', 'v2:slower', 'v2:slower:', 'a:b']) {
    t.equal(parseTag(tag), null, tag);
  }
});
