// Runs over one engine: asks for both engines.
import { once } from 'node:events';
import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import autocannon from 'autocannon';
import { ask } from '../support/client.js';
import { engines } from '../support/engines.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import { type Answer, fieldOf, Origin } from '../support/origin.js';
import t from '../support/tap.js';
import { reviews, UmbraProcess, until } from '../support/umbra.js';
import { bodyOf } from './mixed.js';

const KiB = 1024;
const text = Buffer.from('a page that compresses well. '.repeat(20_000));
const codings = { gzip: gzipSync(text), br: brotliCompressSync(text), deflate: deflateSync(text) };

for (const engine of engines) {
  /** Both versions, of which each test begins with none of what others received. */
  const [v1, v2] = [await Origin.listen(), await Origin.listen()];
  const umbra = await UmbraProcess.start(
    reviews(v1.port, v2.port, {
      mirror: { inFlight: 4096 },
      umbra: { listen: [{ address: '127.0.0.1:0', engine }] },
    }),
  );
  t.teardown(async () => {
    await umbra.stop();
    await Promise.all([v1.close(), v2.close()]);
  });
  const answering = (answer: Answer): void => {
    for (const origin of [v1, v2]) {
      origin.answer = answer;
      origin.received.length = 0;
    }
  };

  t.test(
    `${engine}: compressed bodies pass byte for byte, and a client that decodes them gets the text`,
    async (t) => {
      answering((received, response) => {
        const coding = received.target.slice(1) as keyof typeof codings;
        response.setHeader('content-encoding', coding);
        response.setHeader('vary', 'accept-encoding');
        // Half of them with a length, half in chunks.
        if (received.method !== 'PUT') response.setHeader('content-length', codings[coding].length);
        response.end(codings[coding]);
      });
      for (const [coding, bytes] of Object.entries(codings)) {
        for (const method of ['POST', 'PUT']) {
          const answer = await ask(umbra.port, {
            method,
            target: `/${coding}`,
            headers: { 'content-encoding': coding, 'accept-encoding': coding },
            body: bytes,
            chunkBytes: method === 'PUT' ? 10_007 : null,
          });
          t.ok(answer.body.equals(bytes), `${method} ${coding}`);
          t.match(answer.fields, [
            ['content-encoding', coding],
            ['vary', 'accept-encoding'],
          ]);
        }
        const decoded = await fetch(`${umbra.url}/${coding}`);
        t.equal(decoded.headers.get('content-encoding'), coding);
        t.ok(Buffer.from(await decoded.arrayBuffer()).equals(text), `fetch decodes ${coding}`);
      }
      await lawHolds(t, umbra);
      const seen = (origin: Origin): unknown[] =>
        origin.received
          .map(({ method, target, fields, bodySha }) => [
            method,
            target,
            bodySha,
            fields.filter(([name]) => name.endsWith('-encoding')),
          ])
          .map((one) => JSON.stringify(one))
          .sort();
      t.equal(v1.received.length, 9);
      t.strictSame(seen(v2), seen(v1), 'the shadow was sent the same bytes');
    },
  );

  t.test(`${engine}: cookies of many kilobytes pass both ways, each Set-Cookie by itself`, async (t) => {
    const cookies = Array.from(
      { length: 20 },
      (_, index) => `c${index}=${bodyOf(index, 500).toString('base64')}; Path=/`,
    );
    answering((_received, response) => {
      response.setHeader('set-cookie', cookies);
      response.setHeader('content-length', 0);
      response.end();
    });
    const cookie = Array.from(
      { length: 20 },
      (_, index) => `k${index}=${bodyOf(index, 450).toString('base64')}`,
    ).join('; ');
    t.ok(cookie.length > 11 * KiB);
    const answer = await ask(umbra.port, { headers: { cookie } });
    t.equal(answer.status, 200);
    t.strictSame(
      answer.fields.filter(([name]) => name === 'set-cookie').map(([, value]) => value),
      cookies,
    );
    await lawHolds(t, umbra);
    for (const origin of [v1, v2]) t.equal(fieldOf(origin.received[0], 'cookie'), cookie);
  });

  t.test(
    `${engine}: a head that is larger than may be is refused with 431, and the next client is served`,
    async (t) => {
      answering((_received, response) => response.end('ok'));
      const answer = await ask(umbra.port, { headers: { cookie: `a=${'x'.repeat(20 * KiB)}` } }).catch(
        (error: Error) => error,
      );
      t.match(answer, { status: 431 });
      t.equal((await ask(umbra.port)).status, 200);
      t.equal(v1.received.length, 1);
    },
  );

  t.test(`${engine}: server-sent events arrive one by one while the stream is open`, async (t) => {
    const { aborted } = (await umbra.atRest()).versions.v1.primary!.failures;
    const streams: ServerResponse[] = [];
    answering((_received, response) => {
      streams.push(response);
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
      response.write(': welcome\n\n');
    });
    const call = request({ host: '127.0.0.1', port: umbra.port, path: '/events', agent: false });
    call.end();
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    t.equal(response.headers['content-type'], 'text/event-stream');
    response.setEncoding('utf8');
    const pieces = response[Symbol.asyncIterator]() as AsyncIterator<string>;
    let received = '';
    const untilIn = async (mark: string): Promise<void> => {
      while (!received.includes(mark)) received += (await pieces.next()).value as string;
    };
    await untilIn(': welcome\n\n');
    for (let id = 1; id <= 5; id++) {
      // The next one is sent only when the last one has arrived: nothing may wait for more.
      for (const stream of streams) stream.write(`id: ${id}\ndata: event ${id}\n\n`);
      await untilIn(`data: event ${id}\n\n`);
    }
    // The client goes, and the version's end of the stream with it. One that has only ended its own side may
    // still read, and an engine that allows for that learns by the next event that nobody does.
    response.destroy();
    await until(() => {
      for (const stream of streams) stream.write(': still there?\n\n');
      return streams.some((stream) => stream.destroyed);
    }, 'the stream is closed');
    for (const stream of streams) stream.end();
    const { versions } = await lawHolds(t, umbra);
    t.equal(versions.v1.primary!.failures.aborted - aborted, 1);
    t.equal(v1.received.length, 1);
  });

  t.test(`${engine}: fetch streams a body up and another one down`, async (t) => {
    const body = bodyOf(3, 700 * KiB);
    answering((_received, response) => response.end(body));
    const pieces = Array.from({ length: 7 }, (_, index) =>
      body.subarray(index * 100 * KiB, (index + 1) * 100 * KiB),
    );
    const response = await fetch(`${umbra.url}/`, {
      method: 'POST',
      body: new ReadableStream({
        pull(controller): void {
          const piece = pieces.shift();
          if (piece === undefined) controller.close();
          else controller.enqueue(piece);
        },
      }),
      // Needed for streams (https://fetch.spec.whatwg.org/#dom-requestinit-duplex), and not in the types of
      // Node 20.
      ...({ duplex: 'half' } as object),
    });
    t.ok(Buffer.from(await response.arrayBuffer()).equals(body));
    await lawHolds(t, umbra);
    for (const origin of [v1, v2]) t.match(origin.received, [{ framing: 'chunked', bodyBytes: body.length }]);
    const many = await Promise.all(
      Array.from({ length: 40 }, async () =>
        Buffer.from(await (await fetch(umbra.url)).arrayBuffer()).equals(body),
      ),
    );
    t.ok(many.every(Boolean), 'forty at once');
  });

  t.test(`${engine}: autocannon finds no error`, async (t) => {
    answering((received, response) => {
      response.setHeader('content-length', 2);
      response.end(received.bodyBytes === 6 ? 'ok' : 'no');
    });
    const amount = 1500;
    const { eligible } = mirrorTo(await umbra.atRest(), 'v2');
    const result = await autocannon({
      url: umbra.url,
      connections: 30,
      amount,
      method: 'POST',
      body: 'a body',
      expectBody: 'ok',
    });
    t.match(result, { '2xx': amount, non2xx: 0, errors: 0, timeouts: 0, mismatches: 0 });
    t.equal(mirrorTo(await lawHolds(t, umbra), 'v2').eligible - eligible, amount);
  });
}
