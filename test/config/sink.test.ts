import { compilePlan } from '../../config/compile.js';
import { effectiveConfig } from '../../config/effective.js';
import { MirrorSlots } from '../../config/slots.js';
import t from '../support/tap.js';
import { loaded, mirrored, told, withoutText } from './told.js';

const start = 'versions: { v1: "http://127.0.0.1:1", v2: "http://127.0.0.1:2" }\nroutes:\n- primary: v1\n';

function recorded(key: string): string {
  return `${start}  mirrors: [ { to: "file:./rec", ${key} } ]\n`;
}

t.test('a mirror to a directory is a recording with its policy', async (t) => {
  const text = recorded(
    'percent: 5, methods: safe, rate: 7/s, headers: { remove: [ x-a ] }, recording: { responses: true, compress: false, segment: { size: 1MiB, age: 1m }, disk: 4MiB }',
  );
  const plan = compilePlan(loaded(text, { directory: '/etc/umbra' }), 1, new MirrorSlots(), 1);
  const [mirror] = plan.routes[0].mirrors;
  t.strictSame(mirror.sink, {
    kind: 'file',
    name: 'file:./rec',
    directory: '/etc/umbra/rec',
    responses: true,
    compress: false,
    segmentBytes: 1024 * 1024,
    segmentMs: 60_000,
    diskBytesMax: 4 * 1024 * 1024,
  });
  t.strictSame(
    [mirror.host, mirror.shareMillionths, mirror.ratePerSecond],
    [{ kind: 'preserve' }, 50_000, 7],
  );
  t.equal(mirror.capture!.bodyBytesMax, mirror.responseBytesMax);

  const again = loaded(JSON.stringify(effectiveConfig(plan)), { directory: '/etc/umbra' });
  t.strictSame(
    withoutText(compilePlan(again, 1, new MirrorSlots(), 1)),
    withoutText(plan),
    'its effective configuration is the same plan',
  );
});

t.test('what only shadows have is refused where it stands, and a recording of a shadow too', async (t) => {
  for (const key of [
    'host: preserve',
    'breaker: {}',
    'pipelining: 2',
    'inFlight: 9',
    'timeout: 1s',
    'firstByteTimeout: 1s',
    'compare: off',
  ])
    t.strictSame(told(recorded(key)), [
      `4:34: \`${key.split(':')[0]}\` belongs to shadows, and \`file:./rec\` is a recording`,
    ]);
  t.strictSame(told(mirrored('recording: {}')), ['4:24: `recording` belongs to mirrors to file:DIRECTORY']);
});

t.test('places that are none are refused', async (t) => {
  const to = (place: string) => told(`${start}  mirrors: [ { to: "${place}" } ]\n`);
  t.match(to('file:'), [/expected file: and a directory, such as file:.\/recordings/]);
  t.match(to('file://host/x'), [/expected a path behind file:/]);
  t.match(to('v3'), [/unknown version `v3`/]);
});

t.test('bounds of the files are checked, against each other as well', async (t) => {
  t.match(told(recorded('recording: { segment: { size: 1KiB } }')), [/expected a size from 64KiB to 4GiB/]);
  t.match(told(recorded('recording: { disk: 300MiB }')), [/must be at least twice `segment.size`/]);
});

t.test('one directory has one set of files', async (t) => {
  const two = `${start}  match: { host: a }\n  mirrors: [ { to: "file:./rec" } ]\n- match: { host: b }\n  primary: v2\n  mirrors: [ { to: "file:./rec", recording: { compress: false } } ]\n`;
  t.match(told(two), [/`file:.\/rec` is recorded to with other settings at line 5/]);
  t.strictSame(told(two.replace('compress: false', 'responses: true')), []);
});

const place = 'nats://me:s3cret@10.0.0.5/umbra.reviews';

function streamed(key: string): string {
  return `${start}  mirrors: [ { to: "${place}", ${key} } ]\n`;
}

t.test(
  'a mirror to a subject of NATS is a stream with its policy, and its name holds no credentials',
  async (t) => {
    const text = streamed(
      'percent: 5, stream: { primary: response, outstanding: 7, timeout: 9s, retention: limits, size: 2MiB, age: 1h, replicas: 3 }',
    );
    const plan = compilePlan(loaded(text), 1, new MirrorSlots(), 1);
    const [mirror] = plan.routes[0].mirrors;
    t.strictSame(mirror.sink, {
      kind: 'stream',
      name: 'nats://10.0.0.5:4222/umbra.reviews',
      nats: { servers: ['10.0.0.5:4222'], secure: false, user: 'me', password: 's3cret' },
      subject: 'umbra.reviews',
      primary: 'response',
      outstandingMax: 7,
      timeoutMs: 9000,
      retention: 'limits',
      bytesMax: 2 * 1024 * 1024,
      ageMsMax: 3_600_000,
      replicas: 3,
    });
    t.match(mirror.compare, {
      pairs: true,
      digest: true,
      structure: null,
    });
    t.equal(mirror.capture?.bodyBytesMax, mirror.responseBytesMax);

    const effective = JSON.stringify(effectiveConfig(plan));
    t.notMatch(effective, /s3cret/);
    const again = loaded(effective.replace('[redacted]', 'me:s3cret'));
    t.strictSame(
      withoutText(compilePlan(again, 1, new MirrorSlots(), 1)),
      withoutText(plan),
      'its effective configuration is the same plan',
    );
    const usual = compilePlan(loaded(streamed('percent: 1')), 1, new MirrorSlots(), 1).routes[0].mirrors[0];
    t.match(
      usual.compare,
      { pairs: true, digest: false, structure: null },
      'as with a plain mirror to a shadow',
    );
    t.equal(usual.capture, null);
  },
);

t.test('what a stream has not is refused where it stands, without its credentials', async (t) => {
  t.strictSame(told(streamed('inFlight: 9')), [
    '4:63: `inFlight` belongs to shadows, and `nats://10.0.0.5:4222/umbra.reviews` is a stream',
  ]);
  t.strictSame(told(streamed('recording: {}')), ['4:63: `recording` belongs to mirrors to file:DIRECTORY']);
  t.strictSame(told(mirrored('stream: {}')), [
    '4:24: `stream` belongs to mirrors to nats://host:4222/subject',
  ]);
  t.match(told(streamed('stream: { timeout: 2m }')), [/must be 1m or less/]);
  t.match(told(streamed('stream: { outstanding: 8193 }')), [/expected a whole number from 1 to 8192/]);
  const to = (text: string) => told(`${start}  mirrors: [ { to: "${text}" } ]\n`);
  for (const wrong of [
    'nats://10.0.0.5',
    'nats://10.0.0.5/',
    'nats://10.0.0.5/a.>',
    'tls://h/$JS.a',
    'nats://h/a/b',
  ])
    t.match(to(wrong), [/expected an address such as nats:\/\/127.0.0.1:4222\/umbra.reviews/], wrong);
  const twice = `${start}  mirrors: [ { to: "${place}" }, { to: "nats://10.0.0.5:4222/umbra.reviews" } ]\n`;
  t.match(told(twice), [/this route is mirrored to `nats:\/\/10.0.0.5:4222\/umbra.reviews` twice/]);
  const two = `${start}  match: { host: a }\n  mirrors: [ { to: "${place}" } ]\n- match: { host: b }\n  primary: v2\n  mirrors: [ { to: "${place}", stream: { size: 2GiB } } ]\n`;
  t.match(told(two), [/is published to with other settings at line 5; one stream has one `stream`/]);
  t.strictSame(told(two.replace('size: 2GiB', 'primary: digest')), []);
});
