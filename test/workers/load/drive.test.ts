import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { driveLoad, type LoadOptions } from '../../../workers/load/drive.js';
import t, { type Test } from '../../support/tap.js';

const options = { rate: null, durationMs: 500, connections: 2, body: null };

async function serve(t: Test, listener: RequestListener): Promise<{ url: string; server: Server }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server };
}

t.test('answers, bytes and statuses are counted', async (t) => {
  let served = 0;
  const { url } = await serve(t, (_request, response) => {
    response.statusCode = served++ % 2 === 0 ? 200 : 503;
    response.end('hello');
  });
  const figures = await driveLoad({ ...options, url }).done;
  const answers = figures.latency.count;
  t.ok(answers > 10);
  t.ok(served - answers <= options.connections, 'all but those in flight at the end');
  t.ok(Math.abs(figures.notSuccessful - answers / 2) <= 2);
  t.ok(figures.receivedBytes > answers * 'hello'.length);
  t.match(figures, { errors: 0, timeouts: 0, gaveUp: false, connections: 2 });
});

t.test('a body is sent as a POST with its type', async (t) => {
  const seen = new Set<string>();
  const { url } = await serve(t, (request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    request.on('end', () => {
      seen.add(`${request.method} ${request.headers['content-type']} ${text}`);
      response.end();
    });
  });
  const body = { bytes: Buffer.from('{"stars":5}'), contentType: 'application/json' };
  await driveLoad({ ...options, url, body }).done;
  t.same([...seen], ['POST application/json {"stars":5}']);
});

t.test('method, header fields and Host are those that are asked for', async (t) => {
  const seen = new Set<string>();
  const { url } = await serve(t, (request, response) => {
    seen.add(`${request.method} ${request.headers.host} ${request.headers['x-user']}`);
    response.end();
  });
  await driveLoad({ ...options, url, method: 'PUT', headers: { host: 'reviews', 'x-user': '7' } }).done;
  t.same([...seen], ['PUT reviews 7']);
});

t.test('a rate is kept and spread over time, not sent at once when a second begins', async (t) => {
  const arrivalsMs: number[] = [];
  const { url } = await serve(t, (_request, response) => {
    arrivalsMs.push(performance.now());
    response.end();
  });
  const figures = await driveLoad({ ...options, url, rate: 40, connections: 4, durationMs: 1000 }).done;
  t.ok(figures.latency.count <= 50, `${figures.latency.count} answers`);
  t.ok(arrivalsMs.length >= 2);
  // autocannon's own rate would send 40 within the first milliseconds. A busy machine only makes this spread
  // wider.
  t.ok(arrivalsMs.at(-1)! - arrivalsMs[0] > 500);
});

t.test('the time that requests waited for a stalled connection is part of their latency', async (t) => {
  const stallMs = 400;
  let first = true;
  const { url } = await serve(t, (_request, response) => {
    if (first) setTimeout(() => response.end(), stallMs);
    else response.end();
    first = false;
  });
  const { latency } = await driveLoad({ ...options, url, rate: 50, connections: 1, durationMs: 1500 }).done;
  // 50 a second for 400 ms: twenty requests were due in the meantime, and half of them waited longer than 200
  // ms.
  t.ok(latency.count > 10);
  const waited = latency.count - latency.cumulative([stallMs * 500])[0];
  t.ok(waited >= 8, `${waited} of ${latency.count} waited`);
});

t.test('a rate below the connections uses fewer of them', async (t) => {
  const { url } = await serve(t, (_request, response) => response.end());
  const figures = await driveLoad({ ...options, url, rate: 3, connections: 10 }).done;
  t.equal(figures.connections, 3);
});

t.test('requests whose connection closed without an answer are errors', async (t) => {
  let refused = 0;
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => {
      refused++;
      socket.end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const figures = await driveLoad({ ...options, url }).done;
  t.equal(figures.latency.count, 0);
  t.ok(figures.errors > 0);
  t.ok(refused - figures.errors <= options.connections);
});

t.test('a server that goes away ends the run', async (t) => {
  const { url, server } = await serve(t, (_request, response) => response.end());
  const load = driveLoad({ ...options, url, durationMs: 60_000 });
  await once(server, 'request');
  server.close();
  server.closeAllConnections();
  const figures = await load.done;
  t.equal(figures.gaveUp, true);
  t.ok(figures.errors > 0);
});

t.test('stop ends a run early, with what it has measured', async (t) => {
  const { url, server } = await serve(t, (_request, response) => response.end());
  const load = driveLoad({ ...options, url, durationMs: 60_000 } satisfies LoadOptions);
  for (let i = 0; i < 10; i++) await once(server, 'request');
  load.stop();
  const figures = await load.done;
  t.ok(figures.latency.count > 0);
  t.equal(figures.gaveUp, false);
});
