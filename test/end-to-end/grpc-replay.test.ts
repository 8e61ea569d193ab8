// Runs over one engine: commands have no engine, and recordings are made behind the engines.
/** Calls of gRPC that are recorded, or put into a stream, and sent to another version afterwards. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask } from '../support/client.js';
import { callGrpc, type GrpcHandler, GrpcOrigin } from '../support/grpc-origin.js';
import { runHere } from '../support/here.js';
import { http2Session } from '../support/http2-client.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import { NatsServer, noNats } from '../support/nats.js';
import { Origin } from '../support/origin.js';
import { recordsIn } from '../support/recorded.js';
import t, { type Test } from '../support/tap.js';
import { Output, reviews, runToEnd, spawnUmbra, UmbraProcess, until } from '../support/umbra.js';

// A busy machine takes seconds to start each umbra.
t.setTimeout(120_000);

const [get, find, lost] = ['/shop.Shop/Get', '/shop.Shop/Find', '/shop.Shop/Lost'];
/** A field 1 of two bytes. */
const item = (text: string): Buffer => Buffer.from(`\n\x02${text}`);

/** `find` ends with `status`, and `lost` has no answer in gRPC's words. */
function shop(status: number, price = 'p1'): GrpcHandler {
  return ({ path, messages }) => {
    if (path === get) return { messages: [messages[0]!, item(price)] };
    return { status, text: 'there is none', trailersOnly: path === lost };
  };
}

async function origin(t: Test, handler: GrpcHandler): Promise<GrpcOrigin> {
  const server = await GrpcOrigin.listen(handler);
  t.teardown(() => server.close());
  return server;
}

/** An umbra whose mirror is `to`, and the three calls through it. */
async function callThrough(t: Test, v1: GrpcOrigin, mirror: { readonly to: string }): Promise<void> {
  const umbra = await UmbraProcess.start(
    reviews(v1.port, null, {
      v1: { protocol: 'http2' },
      route: { mirrors: [mirror] },
      umbra: {
        threads: { proxy: 1, shadow: 1 },
        listen: [{ address: '127.0.0.1:0', engine: 'node', protocols: 'h2' }],
      },
    }),
  );
  t.teardown(() => umbra.stop());
  const session = http2Session(umbra.url);
  t.match(await callGrpc(session, get, item('a1')), { status: 0, messages: { length: 2 } });
  t.match(await callGrpc(session, find, item('a2'), { authorization: 'Bearer S3CRET' }), { status: 5 });
  t.match(await callGrpc(session, lost, item('a3')), { status: 5, text: 'there is none' });
  session.destroy();
  t.match(mirrorTo(await lawHolds(t, umbra), mirror.to), { completed: 3 });
  await umbra.stop();
}

interface Printed {
  readonly played: number;
  readonly skipped: number;
  readonly diffs: {
    readonly groups: readonly { readonly path: string; readonly kind: string; readonly endpoints: unknown }[];
    readonly mirrors: readonly { readonly compared: number; readonly different: number }[];
  };
  readonly stats: {
    readonly mirrors: readonly { readonly completed: number; readonly compare: Record<string, number> }[];
    readonly versions: Record<string, Record<string, { readonly responses: Record<string, number> }>>;
  };
}

async function replayTo(directory: string, server: GrpcOrigin): Promise<Printed> {
  const url = `http://127.0.0.1:${server.port}`;
  const { code, out, err } = await runHere('replay', directory, '--to', url, '-o', 'json');
  if (code !== 0) throw new Error(`${err}${out}`);
  return JSON.parse(out);
}

t.test('recorded calls keep their trailers, and are played over HTTP/2', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'umbra-grpc-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const v1 = await origin(t, shop(5));
  const recording = { to: `file:${directory}`, recording: { responses: true } };
  await callThrough(t, v1, recording);

  const records = recordsIn(directory).filter(({ type }) => type !== 'warcinfo');
  t.equal(records.length, 6);
  for (const { headers } of records) t.equal(headers.get('WARC-Protocol'), 'h2');
  const responses = records.filter(({ type }) => type === 'response').map(({ block }) => block);
  const times = records.map(({ headers }) => headers.get('Umbra-Message-Us')!);
  t.match(times[0], /^\d+ \d+$/, 'a message and the end');
  t.match(times[1], /^\d+ \d+ \d+$/, 'two messages and the end');
  t.match(times[3], /^\d+$/, 'an answer without messages has an end');
  t.match(responses[0], /\r\nTransfer-Encoding: chunked\r\n[\s\S]*\r\n0\r\ngrpc-status: 0\r\n\r\n$/);
  t.match(responses[1], /\r\n0\r\ngrpc-status: 5\r\ngrpc-message: there is none\r\n\r\n$/);
  t.match(responses[2], /\r\ngrpc-status: 5\r\n[\s\S]*\r\nContent-Length: 0\r\n\r\n$/);
  t.notMatch(records.map(({ block }) => block).join(''), /S3CRET/);

  const equal = await origin(t, shop(5));
  const same = await replayTo(directory, equal);
  t.match(same, { played: 3, skipped: 0, diffs: { mirrors: [{ compared: 3, different: 0 }] } });
  t.match(same.stats.mirrors[0], { completed: 3, compare: { paired: 3, equal: 3 } });
  const responsesOf = { '2xx': 1, '4xx': 2 };
  t.match(same.stats.versions, {
    recording: { primary: { responses: responsesOf } },
    replay: { shadow: { responses: responsesOf } },
  });
  t.strictSame(
    equal.called.map(({ path, messages }) => [path, messages.map(String)]),
    v1.called.map(({ path, messages }) => [path, messages.map(String)]),
  );
  t.match(equal.called[0]!.fields, { te: 'trailers', 'content-type': 'application/grpc' });

  const worse = await replayTo(directory, await origin(t, shop(7, 'p2')));
  t.match(worse.diffs.mirrors, [{ compared: 3, different: 3 }]);
  const groups = worse.diffs.groups.map(({ kind, path }) => `${kind} ${path}`).sort();
  t.ok(groups.includes('status NOT_FOUND PERMISSION_DENIED'), groups.join(', '));
  t.match(JSON.stringify(worse.diffs.groups), /GRPC \/shop\.Shop\/Find/);
  t.match(JSON.stringify(worse.diffs.groups), /GRPC \/shop\.Shop\/Get/);
  t.match(worse.stats.mirrors[0]!.compare, { paired: 3, equal: 0, statusDifferent: 2 });
});

t.test('umbra record takes gRPC and HTTP/1.1 on one port, with the times of messages', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'umbra-grpc-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  // One port with both protocols: a server of HTTP/2 that a preface begins, and else one of HTTP/1.1.
  const [grpc, plain] = [await origin(t, shop(5)), await Origin.listen()];
  t.teardown(() => plain.close());
  const front = createServer((client) => {
    client.once('data', (first) => {
      const { port } = first.toString('latin1').startsWith('PRI ') ? grpc : plain;
      const server = connect(port, '127.0.0.1');
      server.write(first);
      client.pipe(server).pipe(client);
      for (const socket of [client, server]) socket.on('error', () => client.destroy());
    });
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  t.teardown(() => new Promise((resolve) => front.close(resolve)));
  const to = `http://127.0.0.1:${(front.address() as AddressInfo).port}`;
  const child = spawnUmbra(
    ...['record', to, '-o', directory, '--responses', '--listen', '127.0.0.1:0', '--admin', 'off', '--json'],
  );
  const output = new Output(child);
  const ended = once(child, 'close');
  const [, url] = await until(() => /^umbra ready listen=(\S+)/m.exec(output.err), 'it listens');
  const session = http2Session(url!);
  t.match(await callGrpc(session, get, item('a1')), { status: 0, messages: { length: 2 } });
  session.destroy();
  const { port } = new URL(url!);
  t.equal((await ask(Number(port))).status, 200);
  child.kill('SIGTERM');
  await ended;
  t.match(JSON.parse(output.out), { recorded: 2, dropped: {}, failed: {} });
  const requests = recordsIn(directory).filter(({ type }) => type === 'request');
  t.strictSame(requests.map(({ headers }) => headers.get('WARC-Protocol')).sort(), ['h2', undefined]);
  const call = requests.find(({ headers }) => headers.get('Umbra-Route') === 'grpc')!;
  t.match(call.headers.get('Umbra-Message-Us'), /^\d+ \d+$/);
});

t.test('a server that speaks HTTP/1.1 alone is named, and does not pass', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'umbra-grpc-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  await callThrough(t, await origin(t, shop(5)), { to: `file:${directory}` });
  const old = await GrpcOrigin.listen(shop(5), 'http1');
  t.teardown(() => old.close());
  const { stats } = await replayTo(directory, old);
  t.match(stats.mirrors[0], { completed: 0, failed: { protocol: 3 } });
});

t.test('calls of a stream go to their shadow over HTTP/2', { skip: noNats }, async (t) => {
  const nats = await NatsServer.start();
  t.teardown(() => nats.stop());
  const to = nats.stream('umbra.shop');
  await callThrough(t, await origin(t, shop(5)), { to, stream: { primary: 'response' } } as { to: string });
  const v2 = await origin(t, shop(7));
  const words = ['--from', to, '--to', `http://127.0.0.1:${v2.port}`, '--until-empty', '-o', 'json'];
  const { out, err } = await runToEnd('shadow', ...words);
  t.equal(err.includes('given up'), false, err);
  const { stats, diffs } = JSON.parse(out) as Printed;
  t.equal(v2.called.length, 3);
  t.match(stats.mirrors[0], { completed: 3, compare: { paired: 3, statusDifferent: 2 } });
  t.match(JSON.stringify(diffs.groups), /NOT_FOUND PERMISSION_DENIED/);
});
