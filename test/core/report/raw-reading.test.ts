import { between } from '../../../core/report/between.js';
import { PrometheusPage } from '../../../core/report/prometheus.js';
import { decodeReading, encodeReading } from '../../../core/report/raw-reading.js';
import { read } from '../../../core/report/reading.js';
import { stats } from '../../../core/report/stats.js';
import t from '../../support/tap.js';
import { latencies, mirrorCounts, readingOf, version } from './reading.js';
import { STARTED_US, sample } from './sample.js';

const overTheWire = (reading: Parameters<typeof encodeReading>[0]) =>
  decodeReading(JSON.parse(JSON.stringify(encodeReading(reading))));

t.test('a reading that was sent equals the one that was read', async (t) => {
  const reading = read(sample().observed, STARTED_US + 5e6);
  const sent = overTheWire(reading);
  t.strictSame(stats(sent), stats(reading));
  const page = new PrometheusPage();
  const own = (text: string) => text.slice(0, text.indexOf('# HELP process_'));
  t.equal(own(await page.render(sent)), own(await page.render(reading)));
});

t.test('the difference of two readings that were sent is what came between', async (t) => {
  const [early, late] = [1000, 5000].map((n) =>
    readingOf(version(latencies(n), n / 100), version(latencies(n)), mirrorCounts(n, 0)),
  );
  const window = between(overTheWire({ ...early, uptimeS: 10 }), overTheWire({ ...late, uptimeS: 25 }));
  t.equal(window.uptimeS, 15);
  t.equal(window.versions[0].counts.latency.count, 4000);
  t.equal(window.versions[0].counts.responses.get(500), 40);
  t.equal(window.mirrors[0].counts.paired, 4000);
  t.throws(() => between({ ...late, uptimeS: 25 }, { ...early, uptimeS: 1 }), /restarted meanwhile/);
});

t.test('what another program sent is refused in words', async (t) => {
  const good = JSON.parse(JSON.stringify(encodeReading(read(sample().observed, STARTED_US))));
  for (const json of [
    null,
    [],
    'x',
    {},
    { ...good, versions: {} },
    { ...good, versions: [null] },
    { ...good, versions: [{ name: 'v1', role: 'primary', counts: {} }] },
    { ...good, mirrors: [{ ...good.mirrors[0], counts: { ...good.mirrors[0].counts, queue: 5 } }] },
    { ...good, rings: [{ name: 'x' }] },
  ]) {
    t.throws(() => decodeReading(json), { message: /^these are not the figures of this version of umbra/ });
  }
  const { latency } = good.versions[0].counts;
  const bad = {
    ...good.versions[0],
    counts: { ...good.versions[0].counts, latency: { ...latency, hdr: 'AAAA' } },
  };
  t.throws(() => decodeReading({ ...good, versions: [bad] }), { message: /cut short/ });
});
