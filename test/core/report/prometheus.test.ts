import { ThreadCounters, threadTable } from '../../../core/record/thread-counters.js';
import { VersionCounters } from '../../../core/record/version-counters.js';
import { noControlCounts } from '../../../core/report/control-counts.js';
import { openObserved } from '../../../core/report/observed.js';
import { PrometheusPage } from '../../../core/report/prometheus.js';
import { read } from '../../../core/report/reading.js';
import t from '../../support/tap.js';
import { STARTED_US, sample } from './sample.js';

/**
 * Reads the text format strictly: a line that does not belong to it, or a series that comes twice, throws.
 */
function parse(text: string): {
  types: Map<string, string>;
  helps: Set<string>;
  series: Map<string, number>;
} {
  const types = new Map<string, string>();
  const helps = new Set<string>();
  const series = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.+)$/.exec(line);
    if (comment) {
      const [, kind, name, rest] = comment;
      if (kind === 'HELP') helps.add(name);
      else if (types.has(name)) throw new Error(`two types: ${name}`);
      else types.set(name, rest);
      continue;
    }
    const sampleLine = /^([a-zA-Z_:][\w:]*(?:\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*\})?) (\S+)$/.exec(
      line,
    );
    if (!sampleLine) throw new Error(`not a sample: ${line}`);
    if (series.has(sampleLine[1])) throw new Error(`twice: ${line}`);
    series.set(sampleLine[1], Number(sampleLine[2]));
  }
  return { types, helps, series };
}

const page = new PrometheusPage();
const render = async (observed = sample().observed) => parse(await page.render(read(observed, STARTED_US)));

t.test('counters and gauges carry version, role, route and reason', async (t) => {
  const { series } = await render();
  const expected: Record<string, number> = {
    'umbra_requests_total{version="v1",role="primary",code="200"}': 98,
    'umbra_requests_total{version="v1",role="primary",code="503"}': 1,
    'umbra_requests_total{version="v1",role="primary",code="0"}': 1,
    'umbra_upstream_failures_total{version="v1",role="primary",reason="reset"}': 1,
    'umbra_upstream_connections{version="v1",role="primary",state="busy"}': 2,
    'umbra_upstream_connections{version="v1",role="primary",state="idle"}': 2,
    'umbra_upstream_endpoint_healthy{version="v1",endpoint="reviews.internal:9080",address="10.0.0.7:9080"}': 1,
    'umbra_upstream_endpoint_healthy{version="v1",endpoint="reviews.internal:9080",address="[fd00::7]:9080"}': 0,
    'umbra_upstream_health_checks_total{version="v1",endpoint="reviews.internal:9080",address="10.0.0.7:9080",result="passed"}': 3,
    'umbra_upstream_dns_addresses{name="reviews.internal"}': 2,
    'umbra_upstream_dns_lookups_total{name="reviews.internal",result="ok"}': 1,
    'umbra_upstream_dns_lookups_total{name="reviews.internal",result="failed"}': 1,
    'umbra_upstream_queue_length{version="v1",role="primary"}': 3,
    'umbra_upstream_queue_full_total{version="v1",role="primary"}': 1,
    'umbra_upstream_queue_timeouts_total{version="v1",role="primary"}': 1,
    'umbra_upstream_waiting_uploads{version="v1",role="primary"}': 2,
    'umbra_upstream_slow_uploads_total{version="v1",role="primary"}': 1,
    'umbra_upstream_ejected_endpoints{version="v1",role="primary"}': 1,
    'umbra_upstream_ejections_total{version="v1",role="primary"}': 2,
    'umbra_latency_seconds{version="v1",role="primary",quantile="0.99"}': 0.0049,
    'umbra_latency_seconds_count{version="v1",role="primary"}': 98,
    'umbra_mirror_share_ratio{route="reviews",version="v2",role="shadow"}': 0.25,
    'umbra_mirror_eligible_total{route="reviews",version="v2",role="shadow"}': 4,
    'umbra_mirror_sent_total{route="reviews",version="v2",role="shadow"}': 3,
    'umbra_mirror_completed_total{route="reviews",version="v2",role="shadow"}': 1,
    'umbra_mirror_dropped_total{route="reviews",version="v2",role="shadow",reason="ring-full"}': 1,
    'umbra_mirror_dropped_total{route="reviews",version="v2",role="shadow",reason="memory"}': 0,
    'umbra_mirror_failed_total{route="reviews",version="v2",role="shadow",reason="timeout"}': 1,
    'umbra_mirror_in_flight{route="reviews",version="v2",role="shadow"}': 1,
    'umbra_mirror_compared_total{route="reviews",version="v2",role="shadow",result="different"}': 1,
    'umbra_mirror_delta_seconds{route="reviews",version="v2",role="shadow",quantile="0.5"}': -0.00004,
    'umbra_accounting_gap{route="reviews",version="v2",role="shadow",sum="eligible"}': 0,
    'umbra_accounting_gap{route="reviews",version="v2",role="shadow",sum="sent"}': 0,
    'umbra_ring_used_bytes{ring="proxy-0/shadow-0"}': 4096,
    'umbra_downstream_connections{thread="proxy-1"}': 1,
    'umbra_thread_restarts_total{thread="shadow-0"}': 2,
    'umbra_access_log_dropped_total{thread="proxy-0"}': 0,
    umbra_config_generation: 3,
  };
  for (const [name, value] of Object.entries(expected)) t.equal(series.get(name), value, name);
});

t.test('the duration histogram is cumulative, ends in its count, and sums up in seconds', async (t) => {
  const { series, types } = await render();
  t.equal(types.get('umbra_request_duration_seconds'), 'histogram');
  const of = (le: string) =>
    series.get(`umbra_request_duration_seconds_bucket{version="v1",role="primary",le="${le}"}`);
  t.equal(of('0.0001'), 2, 'a bound includes the values that equal it');
  t.equal(of('0.00025'), 4);
  t.equal(of('0.001'), 20);
  t.equal(of('0.0025'), 50);
  t.equal(of('60'), 98);
  t.equal(of('+Inf'), 98);
  t.equal(series.get('umbra_request_duration_seconds_count{version="v1",role="primary"}'), 98);
  t.equal(series.get('umbra_request_duration_seconds_sum{version="v1",role="primary"}'), 0.245);
});

t.test('a summary without values has a count and no quantiles', async (t) => {
  const { series } = await render();
  t.equal(series.get('umbra_latency_seconds_count{version="v2",role="shadow"}'), 0);
  t.notOk([...series.keys()].some((name) => name.startsWith('umbra_latency_seconds{version="v2"')));
});

t.test('every metric has a help text and a type, and every field of a thread is a metric', async (t) => {
  const { types, helps, series } = await render();
  for (const name of series.keys()) {
    const family = name.replace(/\{.*/, '').replace(/_(bucket|sum|count)$/, '');
    const known = types.has(family) ? family : name.replace(/\{.*/, '');
    if (!types.has(known) || !helps.has(known)) t.fail(`${name} has no type or help`);
  }
  for (const { metric, kind } of threadTable.rows) t.equal(types.get(metric!), kind, metric!);
});

t.test("the process's own metrics are there", async (t) => {
  const { series } = await render();
  t.ok((series.get('process_resident_memory_bytes') ?? 0) > 0);
  t.ok(series.has('process_cpu_seconds_total'));
});

t.test('names with quotes, backslashes and line breaks are escaped', async (t) => {
  const { blocks } = sample();
  const versions = [{ name: 'a"b\\c\nd', role: 'primary' as const, blocks: [VersionCounters.create()] }];
  const { series } = await render(openObserved({ ...blocks, versions }, () => 0));
  t.equal(series.get('umbra_upstream_retries_total{version="a\\"b\\\\c\\nd",role="primary"}'), 0);
});

t.test('pages rendered at the same time do not mix', async (t) => {
  const reading = read(sample().observed, STARTED_US);
  const pages = await Promise.all([page.render(reading), page.render(reading), page.render(reading)]);
  const own = (text: string) => text.slice(0, text.indexOf('# HELP process_'));
  t.equal(own(pages[1]), own(pages[0]));
  t.equal(own(pages[2]), own(pages[0]));
});

t.test('what the admin server refuses, and how busy and late threads are, is on the page', async (t) => {
  const { blocks, observed } = sample();
  new ThreadCounters(blocks.threads[0].block).setPulse(0.5, 0.002);
  const refused = {
    host: 1,
    token: 2,
    origin: 3,
    rate: 4,
    connections: 0,
    bodies: 5,
    answers: 6,
    changes: 7,
  };
  const admin = { streams: 2, streamsRefused: 3, streamsStalled: 4, snapshotsSkipped: 5, refused };
  const { series } = parse(await page.render(read(observed, STARTED_US, { ...noControlCounts, admin })));
  t.equal(series.get('umbra_admin_streams'), 2);
  t.equal(series.get('umbra_admin_streams_refused_total'), 3);
  t.equal(series.get('umbra_admin_streams_stalled_total'), 4);
  t.equal(series.get('umbra_admin_snapshots_skipped_total'), 5);
  t.equal(series.get('umbra_admin_refused_total{reason="origin"}'), 3);
  t.equal(series.get('umbra_admin_refused_total{reason="bodies"}'), 5);
  t.equal(series.get('umbra_admin_refused_total{reason="answers"}'), 6);
  t.equal(series.get('umbra_thread_busy_ratio{thread="proxy-0"}'), 0.5);
  t.equal(series.get('umbra_thread_loop_delay_seconds{thread="proxy-0"}'), 0.002);
});
