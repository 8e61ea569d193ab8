import { Drop } from '../../../core/errors.js';
import { plainLook, topLines } from '../../../core/report/top-view.js';
import t from '../../support/tap.js';
import { latencies, mirrorCounts, readingOf, version } from './reading.js';

function frame(changes: object = {}) {
  const mirror = mirrorCounts(600, 6);
  const dropped = mirror.dropped.map((_, i) => (i === Drop.RING_FULL ? 12 : 0));
  const reading = readingOf(version(latencies(600), 6), version(latencies(600, 2)), { ...mirror, dropped });
  return { now: reading, window: { ...reading, ...changes }, source: 'http://127.0.0.1:9901' };
}

t.test('a frame shows rates, errors, percentiles, mirrors and drops by reason', async (t) => {
  const text = topLines(frame(), 80, 40).join('\n');
  t.match(text, /^umbra http:\/\/127\.0\.0\.1:9901 {2}up 1 min 0 s {2}generation 1/);
  t.match(text, /^v1 primary +10 +1 % +1\.50 ms +1\.90 ms +1\.99 ms +2\.00 ms$/m);
  t.match(text, /^v2 shadow +10 +0 % +3\.0\d ms/m);
  t.match(text, /^reviews > v2 +100 % +10 +0\.2 +0\.0 +0 +1 %$/m);
  t.match(text, /^ {2}since the start: dropped ring-full 12$/m);
});

t.test(
  'a recording and a stream say what they keep, how far shadows are behind, and why they have stopped',
  async (t) => {
    const { now, source } = frame();
    const kept = (to: string, counts: object) => ({
      ...now.mirrors[0],
      to,
      isSink: true,
      counts: { ...now.mirrors[0].counts, keptBytes: 3 << 20, ...counts },
    });
    const mirrors = [
      kept('file:/var/lib/umbra/recordings', { segments: 2, trouble: Drop.DISK_FULL }),
      kept('nats://10.0.0.5:4222/umbra.r', { lag: 1200 }),
      { ...now.mirrors[0], counts: { ...now.mirrors[0].counts, lag: 3 } },
    ];
    const reading = { ...now, mirrors };
    const text = topLines({ now: reading, window: reading, source }, 120, 40).join('\n');
    t.match(text, /^reviews > recordings +100 %/m);
    t.match(
      text,
      /^ {2}kept 600 copies, 3\.00 MiB in 2 files; stopped: disk-full, file:\/var\/lib\/umbra\/recordings$/m,
    );
    t.match(text, /^reviews > umbra\.r +100 %/m);
    t.match(
      text,
      /^ {2}kept 600 copies, 3\.00 MiB; lag 1 200 messages, nats:\/\/10\.0\.0\.5:4222\/umbra\.r$/m,
    );
    t.match(text, /^reviews > v2 .*\n.*\n {2}lag 3 messages$|^reviews > v2 .*\n {2}lag 3 messages$/m);
  },
);

t.test('every line fits every width, and every frame fits every height', async (t) => {
  for (const columns of [1, 20, 79, 80, 200]) {
    for (const rows of [1, 2, 5, 40]) {
      const lines = topLines(frame(), columns, rows);
      t.ok(
        lines.length <= rows && lines.every((line) => [...line].length <= columns),
        `${columns} x ${rows}`,
      );
    }
  }
  t.ok(topLines(frame(), 80, 40).every((line) => line.length <= 80));
  t.match(topLines(frame(), 80, 5)[4], /^\(\d+ more lines\)$/);
});

t.test('names from elsewhere steer no terminal', async (t) => {
  const { now } = frame();
  const versions = [{ ...now.versions[0], name: '\x1b[2J\u202e' }];
  t.notMatch(topLines(frame({ versions }), 80, 40).join('\n'), '\x1b');
});

t.test('nothing measured is a dash, never a NaN', async (t) => {
  const idle = readingOf(version(latencies(0)), version(latencies(0)), mirrorCounts(0, 0));
  const text = topLines({ now: idle, window: { ...idle, uptimeS: 0 }, source: 'x' }, 80, 40).join('\n');
  t.notMatch(text, /NaN|Infinity|undefined/);
  t.match(text, /^v1 primary +0\.0 +- +- +- +- +-$/m);
});

t.test('a name is never cut off, however long it is and however narrow the terminal', async (t) => {
  const { now, source } = frame();
  const route = 'recommendations-for-returning-customers';
  const to = 'recommendations-v2-with-a-new-ranking';
  const reading = { ...now, mirrors: [{ ...now.mirrors[0], route, to }] };
  for (const columns of [24, 40, 60, 80, 132]) {
    const lines = topLines({ now: reading, window: reading, source }, columns, 60);
    // Spaces at the end of a line are not printed.
    const squeezed = (text: string) => text.replaceAll(/\s/g, '');
    t.ok(squeezed(lines.join('')).includes(squeezed(`${route} > ${to}`)), `${columns}`);
    t.ok(
      lines.every((line) => [...line].length <= columns),
      `${columns} columns`,
    );
  }
  const narrow = topLines(frame(), 50, 40).join('\n');
  t.match(narrow, /^VERSION +REQ\/S +ERRORS +P50$/m, 'fewer figures, and none of them in half');
});

t.test('endpoints have their health, ejections and breakers are said', async (t) => {
  const { now, source } = frame();
  const [v1, ...others] = now.versions;
  const mirror = now.mirrors[0];
  const reading = {
    ...now,
    versions: [{ ...v1, counts: { ...v1.counts, ejected: 2 } }, ...others],
    mirrors: [{ ...mirror, heldBackPercent: 40, counts: { ...mirror.counts, breakersOpen: 1 } }],
  };
  const text = topLines({ now: reading, window: reading, source }, 120, 60).join('\n');
  t.match(text, /^ENDPOINT +HEALTH +FOR +FAILED$/m);
  t.match(text, /^v1 reviews\.internal:9080 at 10\.0\.0\.7:9080 +healthy/m);
  t.match(text, /^v1 reviews\.internal:9080 at .*fd00::7.* +unhealthy +.* +1$/m);
  t.match(text, /^v1 .*\n {2}2 ejected now, over all threads$/m);
  t.match(text, /^ {2}breaker open on 1 threads?$/m);
  t.match(text, /^ {2}the guard holds back 40 %$/m);
});

t.test('versions and mirrors are sorted, and those without trouble can be left out', async (t) => {
  const { now, source } = frame();
  const reading = { ...now, versions: now.versions.toReversed() };
  const names = (look: object) =>
    topLines({ now: reading, window: reading, source }, 80, 40, { ...plainLook, ...look })
      .filter((line) => /^v\d (primary|shadow)/.test(line))
      .map((line) => line.split(' ')[0]);
  t.strictSame(names({}), ['v2', 'v1']);
  t.strictSame(names({ sort: 'name' }), ['v1', 'v2']);
  t.strictSame(names({ sort: 'errors' }), ['v1', 'v2']);
  t.strictSame(names({ sort: 'p99' }), ['v2', 'v1']);
  t.strictSame(names({ isTroubleOnly: true }), ['v1']);
});

t.test('colours mark what fails, and the last line says the keys', async (t) => {
  const lines = topLines(frame(), 80, 40, { ...plainLook, isColoured: true, isHelpful: true });
  t.match(lines.join('\n'), '\x1b[31m       1 %\x1b[0m', 'the share of errors of v1 is red');
  t.match(lines.at(-1), /t trouble {2}\(now: order\)/);
  t.notMatch(topLines(frame(), 80, 40).join('\n'), '\x1b');
  const short = topLines(frame(), 80, 4, { ...plainLook, isHelpful: true });
  t.match(short.at(-1), '(now: order)', 'on a short terminal too');
});
