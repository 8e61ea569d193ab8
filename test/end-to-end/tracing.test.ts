// Runs over one engine: spans are made behind the engines.
/** Spans of sampled requests and their copies, as a receiver of OTLP gets them. */
import { ask } from '../support/client.js';
import { lawHolds } from '../support/law.js';
import { fieldOf, Origin } from '../support/origin.js';
import { OtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.js';
import { refusedPort } from '../support/raw-server.js';
import t, { type Test } from '../support/tap.js';
import { reviews, UmbraProcess, until } from '../support/umbra.js';

const Kind = { SERVER: 2, CLIENT: 3 } as const;
const threads = { proxy: 1, shadow: 1 };
const trace = '11111111111111111111111111111111';
const span = '2222222222222222';

async function rig(t: Test, mirror: object, tracing: object = {}, route: object = {}) {
  const receiver = await OtlpReceiver.listen();
  const v1 = await Origin.listen();
  const v2 = await Origin.listen((_received, response) => response.end('another'));
  const umbra = await UmbraProcess.start(
    reviews(v1.port, v2.port, {
      mirror,
      route,
      umbra: { threads, tracing: { otlp: receiver.url, sample: '100%', ...tracing } },
    }),
  );
  t.teardown(async () => {
    await umbra.stop();
    await Promise.all([v1.close(), v2.close()]);
    receiver.close();
  });
  const spans = async (count: number): Promise<ReceivedSpan[]> => {
    await until(() => receiver.spans.length >= count, `${count} spans have arrived`);
    return receiver.spans;
  };
  return { receiver, v1, v2, umbra, spans };
}

const copyOf = (spans: readonly ReceivedSpan[]) =>
  spans.find(({ attributes }) => attributes['umbra.role'] === 'shadow')!;
const primaryOf = (spans: readonly ReceivedSpan[]) =>
  spans.find(({ attributes }) => attributes['umbra.role'] === 'primary')!;
const serverOf = (spans: readonly ReceivedSpan[]) => spans.find(({ kind }) => kind === Kind.SERVER)!;

t.test('a mirrored request is three spans: at umbra, to the primary, and of the copy', async (t) => {
  const { receiver, v1, v2, umbra, spans } = await rig(t, {});
  await ask(umbra.port, { target: '/r?token=S3&a=1' });
  const all = await spans(3);
  t.strictSame(receiver.paths, ['POST /v1/traces application/x-protobuf']);
  const [server, primary, copy] = [serverOf(all), primaryOf(all), copyOf(all)];
  t.equal(new Set(all.map(({ traceId }) => traceId)).size, 1);
  t.equal(server.parentSpanId, '', 'the trace begins here');
  t.match(
    [primary, copy].map(({ kind, parentSpanId }) => [kind, parentSpanId]),
    [
      [Kind.CLIENT, server.spanId],
      [Kind.CLIENT, server.spanId],
    ],
  );
  t.strictSame(copy.links, [{ traceId: server.traceId, spanId: server.spanId }]);
  t.equal(fieldOf(v1.received[0]!, 'traceparent'), `00-${server.traceId}-${primary.spanId}-01`);
  t.equal(fieldOf(v2.received[0]!, 'traceparent'), `00-${server.traceId}-${copy.spanId}-01`);
  t.match(server.attributes, {
    'http.request.method': 'GET',
    'url.path': '/r',
    'http.response.status_code': 200,
    'umbra.route': 'reviews',
  });
  t.match(copy.attributes, { 'umbra.version': 'v2', 'umbra.differs': true, 'umbra.differences': ['size'] });
  t.type(copy.attributes['umbra.delta_ms'], 'number');
  t.equal(server.resource['service.name'], 'umbra');
  t.notMatch(JSON.stringify(all.map(({ attributes }) => attributes)), /S3/, 'secrets are hidden');
  for (const { startNs, endNs } of all) t.ok(endNs >= startNs);
  t.ok(primary.startNs >= server.startNs && primary.endNs <= server.endNs);
  await lawHolds(t, umbra);
});

t.test(
  'the client decides where it sent a context, in W3C or B3, and the fields keep their format',
  async (t) => {
    const { v1, umbra, spans } = await rig(t, {}, { sample: '0%' });
    await ask(umbra.port);
    await ask(umbra.port, { headers: { traceparent: `00-${trace}-${span}-00` } });
    await ask(umbra.port, { headers: { b3: '0' } });
    t.strictSame(
      v1.received.map((one) => fieldOf(one, 'traceparent') ?? fieldOf(one, 'b3')),
      [null, `00-${trace}-${span}-00`, '0'],
      'what is not traced continues as it came',
    );
    await ask(umbra.port, { headers: { traceparent: `00-${trace}-${span}-01`, tracestate: 'a=b' } });
    await ask(umbra.port, { headers: { b3: `${trace}-${span}-1` } });
    await ask(umbra.port, { headers: { 'x-b3-traceid': trace, 'x-b3-spanid': span, 'x-b3-sampled': '1' } });
    const all = await spans(9);
    const primaries = all.filter(({ attributes }) => attributes['umbra.role'] === 'primary');
    t.ok(all.filter(({ kind }) => kind === Kind.SERVER).every((one) => one.parentSpanId === span));
    t.ok(all.every(({ traceId }) => traceId === trace));
    const ids = primaries.map(({ spanId }) => spanId);
    t.equal(fieldOf(v1.received[3]!, 'traceparent'), `00-${trace}-${ids[0]}-01`);
    t.equal(fieldOf(v1.received[3]!, 'tracestate'), 'a=b');
    t.equal(fieldOf(v1.received[4]!, 'b3'), `${trace}-${ids[1]}-1`);
    t.equal(fieldOf(v1.received[5]!, 'x-b3-spanid'), ids[2]);
  },
);

t.test('with `trace: new` the copy is a trace of its own, linked to the request', async (t) => {
  const { v2, umbra, spans } = await rig(t, { trace: 'new' });
  await ask(umbra.port);
  const all = await spans(3);
  const [server, copy] = [serverOf(all), copyOf(all)];
  t.not(copy.traceId, server.traceId);
  t.equal(copy.parentSpanId, '');
  t.strictSame(copy.links, [{ traceId: server.traceId, spanId: server.spanId }]);
  t.equal(fieldOf(v2.received[0]!, 'traceparent'), `00-${copy.traceId}-${copy.spanId}-01`);
});

t.test('drops and failures are in the trace, with their reasons', async (t) => {
  const { umbra, spans } = await rig(t, { methods: ['GET'] });
  await ask(umbra.port, { method: 'POST' });
  const dropped = serverOf(await spans(2));
  t.match(dropped.events, [
    { name: 'umbra.copy.dropped', attributes: { 'umbra.version': 'v2', 'umbra.drop_reason': 'method' } },
  ]);
});

t.test(
  'a primary that refuses is an error in both of its spans, and a copy that fails in its own',
  async (t) => {
    const receiver = await OtlpReceiver.listen();
    const [refused, alsoRefused] = [await refusedPort(), await refusedPort()];
    const umbra = await UmbraProcess.start(
      reviews(refused, alsoRefused, { umbra: { threads, tracing: { otlp: receiver.url, sample: '100%' } } }),
    );
    t.teardown(async () => {
      await umbra.stop();
      receiver.close();
    });
    t.equal((await ask(umbra.port)).status, 502);
    await until(() => receiver.spans.length === 3, 'all spans have arrived');
    const all = receiver.spans;
    t.match(
      [serverOf(all), primaryOf(all), copyOf(all)].map(({ status }) => status),
      [2, 2, 2],
    );
    t.match(serverOf(all).attributes, {
      'http.response.status_code': 502,
      'error.type': 'connect',
      'umbra.response_details': /connection-refused\|ECONNREFUSED/,
    });
    t.equal(primaryOf(all).attributes['http.response.status_code'], undefined);
    t.equal(copyOf(all).attributes['error.type'], 'connect');
  },
);

t.test('a receiver that fails costs spans, which are counted and reported, and no request', async (t) => {
  const { receiver, umbra } = await rig(t, {});
  receiver.status = 400;
  t.equal((await ask(umbra.port)).status, 200);
  await umbra.logged(/traces can't be sent to http:\/\/127\.0\.0\.1:\d+\/v1\/traces: .+; 3 spans lost/);
  t.match(await umbra.metrics(), /umbra_trace_spans_dropped_total\{reason="receiver"\} 3\n/);
  receiver.status = 200;
  t.equal((await ask(umbra.port)).status, 200);
  await umbra.logged(/traces reach http:\/\/127\.0\.0\.1:\d+\/v1\/traces again/);
  t.match(await umbra.metrics(), /umbra_trace_spans_exported_total 3\n/);
});
