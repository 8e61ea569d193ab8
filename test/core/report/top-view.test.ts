import { Drop } from '../../../core/errors.js';
import { topLines } from '../../../core/report/top-view.js';
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
