/** Load over HTTP/2 and gRPC, at servers of Node's HTTP/2. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { framedMessage } from '../../../core/grpc/message-counter.js';
import { Scalar } from '../../../core/protobuf/field-type.js';
import { driveHttp2Load } from '../../../workers/load/drive-http2.js';
import { grpcCallBody } from '../../../workers/load/grpc-call-body.js';
import { loadJson, loadText } from '../../../workers/load/load-text.js';
import { descriptorSet, message, messageType } from '../../core/protobuf/types.js';
import { GrpcOrigin } from '../../support/grpc-origin.js';
import { refusedPort } from '../../support/raw-server.js';
import t, { type Test } from '../../support/tap.js';

const options = { rate: null, durationMs: 500, connections: 2, streams: 4, grpc: false, body: null };

async function serve(
  t: Test,
  listener: (stream: ServerHttp2Stream, path: string) => void,
): Promise<{ url: string; sessions(): number; mostStreams(): number }> {
  let [sessions, open, most] = [0, 0, 0];
  const server = createServer();
  server.on('session', () => sessions++);
  server.on('stream', (stream, headers) => {
    most = Math.max(most, ++open);
    stream.on('error', () => {});
    stream.on('close', () => open--);
    listener(stream, String(headers[':path']));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/a?b=1`;
  return { url, sessions: () => sessions, mostStreams: () => most };
}

t.test('connections and streams are as many as asked, and answers are counted', async (t) => {
  let served = 0;
  const paths = new Set<string>();
  const { url, sessions, mostStreams } = await serve(t, (stream, path) => {
    paths.add(path);
    stream.respond({ ':status': served++ % 2 === 0 ? 200 : 503 });
    stream.end('hello');
  });
  const figures = await driveHttp2Load({ ...options, url }).done;
  const answers = figures.latency.count;
  t.ok(answers > 20, `${answers} answers`);
  t.ok(Math.abs(figures.notSuccessful - answers / 2) <= 8);
  t.equal(figures.receivedBytes, answers * 'hello'.length);
  t.match(figures, { errors: 0, timeouts: 0, failures: {}, gaveUp: false, grpcStatuses: null });
  t.equal(sessions(), options.connections);
  t.ok(mostStreams() <= 8);
  t.strictSame([...paths], ['/a?b=1']);
});

t.test('a rate is kept, and a late answer counts from when its request was due', async (t) => {
  let served = 0;
  const { url } = await serve(t, (stream) => {
    const answer = () => {
      stream.respond({ ':status': 200 });
      stream.end();
    };
    // The first answer holds the only place, so further requests are due before they are sent.
    if (served++ === 0) setTimeout(answer, 300);
    else answer();
  });
  const figures = await driveHttp2Load({
    ...options,
    connections: 1,
    streams: 1,
    durationMs: 1000,
    rate: 100,
    url,
  }).done;
  t.ok(figures.latency.count <= 101 && figures.latency.count > 40, `${figures.latency.count} answers`);
  t.ok(figures.latency.percentileUs(80) > 50_000, 'requests that were due while the place was busy waited');
});

t.test('a server that is gone, or speaks HTTP/1.1 alone, ends the load with reasons', async () => {
  const url = `http://127.0.0.1:${await refusedPort()}/`;
  const figures = await driveHttp2Load({ ...options, durationMs: 60_000, url }).done;
  t.match(figures, { gaveUp: true });
  t.ok(figures.errors > 0 && figures.failures?.connect === figures.errors);
  t.match(loadText(figures, url, null), /errors +\d+ +connect \d+/);
});

const set = descriptorSet({
  pkg: 'shop',
  syntax: 'proto3',
  messages: [messageType('Item', [{ name: 'id', number: 1, type: Scalar.INT32 }])],
  more: [
    [
      6,
      [
        [1, 'Shop'],
        [
          2,
          [
            [1, 'Get'],
            [2, '.shop.Item'],
            [3, '.shop.Item'],
          ],
        ],
        [
          2,
          [
            [1, 'Put'],
            [2, '.shop.Item'],
            [3, '.shop.Item'],
            [5, true],
          ],
        ],
      ],
    ],
  ],
});

function onDisk(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'umbra-load-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, 'shop.binpb');
  writeFileSync(path, set);
  return path;
}

t.test('gRPC calls are made of JSON, and counted by status', async (t) => {
  let served = 0;
  const origin = await GrpcOrigin.listen(({ messages }) =>
    served++ % 4 === 0 ? { status: 5 } : { messages },
  );
  t.teardown(() => origin.close());
  const bytes = await grpcCallBody({ method: 'shop.Shop/Get', descriptors: onDisk(t), data: '{"id":7}' });
  t.strictSame(bytes, framedMessage(message([1, 7])));
  const url = `http://127.0.0.1:${origin.port}/shop.Shop/Get`;
  const body = { bytes, contentType: 'application/grpc' };
  const figures = await driveHttp2Load({ ...options, grpc: true, body, url, headers: { 'X-User': '7' } })
    .done;
  const answers = figures.latency.count;
  const { OK, NOT_FOUND } = figures.grpcStatuses!;
  t.equal(OK + NOT_FOUND, answers);
  t.equal(figures.notSuccessful, NOT_FOUND);
  t.ok(NOT_FOUND > 0 && OK > NOT_FOUND);
  const [first] = origin.called;
  t.match(first, { path: '/shop.Shop/Get', fields: { te: 'trailers', 'x-user': '7' } });
  t.strictSame(first.messages, [message([1, 7])]);
  t.match(loadText(figures, url, null), /non-OK +\d+\n +statuses +NOT_FOUND \d+, OK \d+\n/);
  t.match(loadJson(figures, { url, rate: null }), { grpcStatuses: { OK, NOT_FOUND }, failures: {} });
});

t.test('what can not be called is named', async (t) => {
  const descriptors = onDisk(t);
  const call = (words: Partial<Parameters<typeof grpcCallBody>[0]>) =>
    grpcCallBody({ method: 'shop.Shop/Get', descriptors, data: '{}', ...words });
  await t.rejects(call({ method: 'shop.Shop/Gt' }), {
    message: /has no method shop\.Shop\/Gt \(did you mean `shop\.Shop\/Get`\?\)/,
  });
  await t.rejects(call({ method: 'x.Y/Z' }), {
    message: /has no method x\.Y\/Z; it has shop\.Shop\/Get, shop\.Shop\/Put/,
  });
  await t.rejects(call({ method: 'shop.Shop/Put' }), { message: /takes a stream of messages/ });
  await t.rejects(call({ data: '{"di":1}' }), {
    message: '--data: $: shop.Item has no field di; its fields are id',
  });
  await t.rejects(call({ data: '{"id":"x"}' }), {
    message: /^--data: \$\.id: expected an integer of 32 bits/,
  });
  await t.rejects(call({ data: '{' }), { message: /^--data is not JSON: / });
  await t.rejects(call({ data: '@/no/such/file' }), { message: /^can't read the data: ENOENT/ });
  await t.rejects(call({ descriptors: '/no/such/file' }), { message: /^can't read the descriptors: ENOENT/ });
  writeFileSync(`${descriptors}.bad`, 'x');
  await t.rejects(call({ descriptors: `${descriptors}.bad` }), { message: /it is not a FileDescriptorSet$/ });
  writeFileSync(`${descriptors}.json`, '{"id":1}');
  t.strictSame(await call({ data: `@${descriptors}.json` }), framedMessage(message([1, 1])));
});
