// Runs over one engine: requests are counted behind the engines.
/** What clients got by route, and what umbra says of itself, at /metrics. */
import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { serverKey, serverPem } from '../support/authority.js';
import { ask } from '../support/client.js';
import { Origin } from '../support/origin.js';
import { OtlpReceiver } from '../support/otlp-receiver.js';
import { refusedPort } from '../support/raw-server.js';
import t, { type Test } from '../support/tap.js';
import { ConfigFile, engine, reviews, UmbraProcess, until } from '../support/umbra.js';

const threads = { proxy: 2, shadow: 1 };

async function openMetrics(umbra: UmbraProcess): Promise<{ type: string; text: string }> {
  const accept = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
  const response = await fetch(`${umbra.adminUrl}/metrics`, { headers: { accept } });
  return { type: response.headers.get('content-type')!, text: await response.text() };
}

/** Values by the name and labels of each series. */
function series(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const at = line.indexOf(' ', line.lastIndexOf('}') + 1);
      return [line.slice(0, at), Number(line.slice(at))];
    }),
  );
}

async function rig(t: Test, umbra: object = {}) {
  const v1 = await Origin.listen((received, response) => {
    response.statusCode = received.target === '/teapot' ? 418 : 200;
    response.end('ok');
  });
  const dead = `http://127.0.0.1:${await refusedPort()}`;
  const words = reviews(v1.port, v1.port, { umbra: { threads, ...umbra } });
  words.versions.dead = { endpoints: dead };
  words.routes.unshift(
    { name: 'broken', match: { path: { prefix: '/broken' } }, primary: 'dead' },
    { name: 'moved', match: { path: { prefix: '/moved' } }, redirect: { path: '/' } },
  );
  const running = await UmbraProcess.start(words);
  t.teardown(async () => {
    await running.stop();
    await v1.close();
  });
  return { umbra: running, words };
}

t.test('requests are counted by route, by the code that the client got, and by who answered', async (t) => {
  const { umbra } = await rig(t);
  for (let i = 0; i < 5; i++) await ask(umbra.port);
  await ask(umbra.port, { target: '/teapot' });
  for (let i = 0; i < 3; i++) t.equal((await ask(umbra.port, { target: '/broken' })).status, 502);
  const moved = (await ask(umbra.port, { target: '/moved' })).status;
  await ask(umbra.port, { target: '/unknown' }).catch(() => {});
  const found = series(await umbra.metrics());
  const of = (route: string, code: number, source: string) =>
    found.get(`umbra_route_requests_total{route="${route}",code="${code}",source="${source}"}`);
  t.equal(of('reviews', 200, 'version'), 6);
  t.equal(of('reviews', 418, 'version'), 1);
  t.equal(of('broken', 502, 'umbra'), 3);
  t.equal(of('moved', moved, 'umbra'), 1);
  t.equal(found.get('umbra_route_request_duration_seconds_count{route="reviews"}'), 7);
  t.equal(found.get('umbra_route_request_duration_seconds_bucket{route="reviews",le="+Inf"}'), 7);
  t.ok(found.get('umbra_route_request_duration_seconds_sum{route="reviews"}')! > 0);
});

t.test('counts of a route stay over a reload that moves it', async (t) => {
  const { umbra, words } = await rig(t);
  await ask(umbra.port);
  words.routes.reverse();
  const [first, ...rest] = words.routes;
  words.routes = [...rest, first!];
  umbra.file.write(words);
  await umbra.logged(/configuration reloaded/);
  await ask(umbra.port);
  const found = series(await umbra.metrics());
  t.equal(found.get('umbra_route_requests_total{route="reviews",code="200",source="version"}'), 2);
});

t.test('a series that can only be 0 is left out, and one that could be more is there', async (t) => {
  const { umbra } = await rig(t);
  await ask(umbra.port);
  const names = [...series(await umbra.metrics()).keys()].join('\n');
  for (const absent of [
    /umbra_mirror_dropped_total\{.*reason="(rate|breaker-open|guard|order-full|disk-full|stream-full|requeued)"/,
    /umbra_mirror_failed_total\{.*reason="(write|stream-down|tls)"/,
    /umbra_upstream_failures_total\{.*role="primary",reason="(memory|ring-full|primary-failed|write|tls)"/,
    /umbra_upstream_endpoint_failures_total/,
    /umbra_upstream_tls_handshakes_total/,
    /umbra_compare_unexamined_total/,
    /umbra_mirror_breakers_open/,
    /http2_guards_total/,
  ])
    t.notMatch(names, absent);
  for (const present of [
    /umbra_mirror_dropped_total\{.*reason="ring-full"/,
    /umbra_mirror_failed_total\{.*reason="timeout"/,
    /umbra_upstream_failures_total\{.*role="primary",reason="connect"/,
  ])
    t.match(names, present);
});

t.test('a breaker, a rate and a comparison bring their series', async (t) => {
  const v1 = await Origin.listen();
  const mirror = { rate: '5/s', breaker: { failures: '50%' }, order: 'client', compare: { sample: '1%' } };
  const umbra = await UmbraProcess.start(reviews(v1.port, v1.port, { mirror }));
  t.teardown(async () => {
    await umbra.stop();
    await v1.close();
  });
  const names = [...series(await umbra.metrics()).keys()].join('\n');
  t.match(names, /umbra_mirror_dropped_total\{.*reason="rate"/);
  t.match(names, /umbra_mirror_dropped_total\{.*reason="breaker-open"/);
  t.match(names, /umbra_mirror_dropped_total\{.*reason="order-full"/);
  t.match(names, /umbra_mirror_breakers_open/);
  t.match(names, /umbra_compare_unexamined_total/);
});

t.test('the build, the last reload and the ends of certificates are metrics', async (t) => {
  const v1 = await Origin.listen();
  const file = new ConfigFile('');
  writeFileSync(join(file.directory, 's.pem'), serverPem);
  writeFileSync(join(file.directory, 's.key'), serverKey);
  const tls = { cert: join(file.directory, 's.pem'), key: join(file.directory, 's.key') };
  const words = reviews(v1.port, null, { umbra: { listen: [{ address: '127.0.0.1:0', engine, tls }] } });
  const umbra = await UmbraProcess.start(words);
  t.teardown(async () => {
    await umbra.stop();
    await v1.close();
    file.remove();
  });
  const before = series(await umbra.metrics());
  t.match([...before.keys()].join('\n'), /umbra_build_info\{version="\d+\.\d+\.\d+",commit=".*",node="\d+/);
  t.equal(before.get('umbra_config_last_reload_successful'), 1);
  const appliedS = before.get('umbra_config_last_reload_success_timestamp_seconds')!;
  t.ok(Math.abs(appliedS - Date.now() / 1000) < 60);
  const expiry = 'umbra_certificate_expiry_timestamp_seconds{use="listener",name="127.0.0.1:0"}';
  t.equal(before.get(expiry), Date.parse(new X509Certificate(serverPem).validTo) / 1000);
  umbra.file.write('routes: 1');
  await umbra.logged(/has errors/);
  const refused = series(await umbra.metrics());
  t.equal(refused.get('umbra_config_last_reload_successful'), 0);
  t.equal(refused.get('umbra_config_last_reload_success_timestamp_seconds'), appliedS);
  umbra.file.write(words);
  await umbra.logged(/configuration reloaded/);
  await until(
    async () => series(await umbra.metrics()).get('umbra_config_last_reload_successful') === 1,
    'it counts as applied',
  );
});

t.test('a scraper that accepts OpenMetrics gets it, with trace ids as exemplars', async (t) => {
  const receiver = await OtlpReceiver.listen();
  t.teardown(() => receiver.close());
  const { umbra } = await rig(t, { tracing: { otlp: receiver.url, sample: '100%' } });
  await ask(umbra.port);
  await until(() => receiver.spans.length === 3, 'the spans have arrived');
  const { type, text } = await openMetrics(umbra);
  t.match(type, /^application\/openmetrics-text; version=1\.0\.0/);
  t.ok(text.endsWith('\n# EOF\n'));
  t.equal(text.split('# EOF').length, 2, 'at the end alone');
  const { traceId } = receiver.spans[0]!;
  t.match(
    text,
    new RegExp(
      `umbra_route_request_duration_seconds_bucket\\{le="[^"]+",route="reviews"\\} 1 # \\{trace_id="${traceId}"\\} [\\d.e-]+ \\d+|` +
        `umbra_route_request_duration_seconds_bucket\\{route="reviews",le="[^"]+"\\} 1 # \\{trace_id="${traceId}"\\} [\\d.e-]+ \\d+`,
    ),
  );
  t.match(text, /# TYPE umbra_route_requests counter\numbra_route_requests_total\{/);
  t.notMatch(await umbra.metrics(), /trace_id|EOF/, 'others get the text format');
});
