import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, renameSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { ask, askMany, RawClient } from '../../support/client.js';
import { lawHolds, listed, mirrorTo } from '../../support/law.js';
import { Origin } from '../../support/origin.js';
import { RawServer } from '../../support/raw-server.js';
import t from '../../support/tap.js';
import { reviews, twoProxies, UmbraProcess, until } from '../../support/umbra.js';

/** Envoy's default format, field by field. */
const envoyLine =
  /^\[(?<start>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)\] "(?<method>\S+) (?<path>\S+) HTTP\/1\.1" (?<status>\d+) (?<flags>\S+) (?<received>\d+) (?<sent>\d+) (?<duration>\d+) (?<upstreamTime>\d+|-) "(?<forwardedFor>[^"]*)" "(?<userAgent>[^"]*)" "(?<requestId>[^"]*)" "(?<authority>[^"]*)" "(?<upstream>[^"]*)" (?<details>\S+)$/;

/** Whether a thread counted lines that found its ring full. */
function droppedLines(metrics: string): boolean {
  return /^umbra_access_log_dropped_total\S* [1-9]/m.test(metrics);
}

async function lines(path: string, count: number): Promise<string[]> {
  return until(() => {
    let text = '';
    try {
      text = readFileSync(path, 'utf8');
    } catch {
      return null;
    }
    const all = text.split('\n').slice(0, -1);
    return all.length >= count && all;
  }, `${count} lines are in the access log`);
}

t.test(
  'each exchange is a line in the format of Envoy, and its copy is another with the same request id',
  async (t) => {
    const v1 = await Origin.listen();
    const v2 = await Origin.listen((_received, response) => {
      response.statusCode = 503;
      response.end('not yet');
    });
    // Paths are relative to the configuration file.
    const umbra = await UmbraProcess.start(
      reviews(v1.port, v2.port, { umbra: { threads: twoProxies, accessLog: { path: 'access.log' } } }),
    );
    for (let i = 0; i < 5; i++) {
      const headers = {
        host: 'reviews',
        'x-request-id': `id-${i}`,
        'user-agent': 'curl/8',
        'x-forwarded-for': '10.0.0.1',
      };
      await ask(umbra.port, {
        method: 'POST',
        target: `/reviews/${i}?x`,
        headers,
        body: Buffer.alloc(10 + i),
      });
    }
    const parsed = (await lines(join(umbra.file.directory, 'access.log'), 10)).map((line) => {
      t.match(line, envoyLine);
      return envoyLine.exec(line)!.groups!;
    });
    t.equal(parsed.length, 10);
    for (let i = 0; i < 5; i++) {
      const both = parsed.filter(({ requestId }) => requestId === `id-${i}`);
      const common = {
        method: 'POST',
        path: `/reviews/${i}?x`,
        flags: '-',
        received: String(10 + i),
        userAgent: 'curl/8',
        forwardedFor: '10.0.0.1',
      };
      t.match(
        both.find(({ authority }) => authority === 'reviews'),
        { ...common, status: '200', sent: '3', upstream: `127.0.0.1:${v1.port}` },
      );
      t.match(
        both.find(({ authority }) => authority === 'reviews-shadow'),
        { ...common, status: '503', sent: '7', upstream: `127.0.0.1:${v2.port}` },
      );
    }
    await lawHolds(t, umbra);
    await umbra.stop();
    await Promise.all([v1.close(), v2.close()]);
  },
);

t.test('as JSON each line parses, whatever clients and versions send', async (t) => {
  const v1 = await Origin.listen();
  const v2 = await RawServer.listen(async (peer) => {
    await peer.head();
    peer.reset();
  });
  const umbra = await UmbraProcess.start(
    reviews(v1.port, v2.port, { umbra: { accessLog: { path: 'access.log', format: 'json' } } }),
  );
  const hostile = 'a"b\\c\t é {"x":1}';
  const client = await RawClient.connect(umbra.port);
  client.send(
    `GET /"quoted"\\ HTTP/1.1\r\nhost: reviews\r\nx-request-id: ${Buffer.from(hostile).toString('latin1')}\r\n\r\n`,
  );
  await client.until('ok\n');
  client.close();
  const entries = (await lines(join(umbra.file.directory, 'access.log'), 2)).map((line) => JSON.parse(line));
  t.equal(entries.length, 2);
  t.match(
    entries.find(({ role }) => role === 'primary'),
    {
      route: 'reviews',
      version: 'v1',
      method: 'GET',
      path: '/"quoted"\\',
      authority: 'reviews',
      status: 200,
      flags: null,
      responseBytes: 3,
      requestId: Buffer.from(hostile).toString('latin1'),
    },
  );
  t.match(
    entries.find(({ role }) => role === 'shadow'),
    {
      version: 'v2',
      authority: 'reviews-shadow',
      status: 0,
      flags: 'UC',
      upstreamMs: null,
    },
  );
  await lawHolds(t, umbra);
  await umbra.stop();
  await Promise.all([v1.close(), v2.close()]);
});

t.test(
  'in the format of Envoy, hostile bytes can neither end a field nor a line, nor steer a terminal',
  async (t) => {
    const v1 = await Origin.listen();
    const umbra = await UmbraProcess.start(
      reviews(v1.port, null, { umbra: { accessLog: { path: 'access.log' } } }),
    );
    const client = await RawClient.connect(umbra.port);
    client.send('GET /"x\\y HTTP/1.1\r\nhost: reviews\r\nuser-agent: "evil" \\ \xc2\x9b31m\tred\r\n\r\n');
    await client.until('ok\n');
    client.close();
    const [line] = await lines(join(umbra.file.directory, 'access.log'), 1);
    t.match(line, envoyLine);
    t.match(line, /^[\x20-\x7e]*$/, 'printable ASCII alone');
    const { path, userAgent } = envoyLine.exec(line)!.groups!;
    t.equal(path, '/\\x22x\\x5cy');
    t.equal(userAgent, '\\x22evil\\x22 \\x5c \\xc2\\x9b31m\\x09red');
    await umbra.stop();
    await v1.close();
  },
);

t.test('what was under way when umbra was listed to stop is in the log too', async (t) => {
  const held: ServerResponse[] = [];
  const v1 = await Origin.listen((_received, response) => void held.push(response));
  const v2 = await Origin.listen();
  const umbra = await UmbraProcess.start(reviews(v1.port, v2.port, { umbra: { accessLog: {} } }));
  const answers = Array.from({ length: 20 }, (_, i) =>
    ask(umbra.port, { headers: { 'x-request-id': `id-${i}` } }),
  );
  await v1.untilReceived(20);
  umbra.signal('SIGTERM');
  for (const response of held) response.end('late');
  await Promise.all(answers);
  await umbra.ended;
  const logged = umbra.out.split('\n').filter((line) => envoyLine.test(line));
  for (let i = 0; i < 20; i++) {
    const both = logged.filter((line) => line.includes(`"id-${i}"`));
    t.equal(both.length, 2, `both lines of id-${i} are there`);
  }
  await Promise.all([v1.close(), v2.close()]);
});

t.test('with a sampled log, an exchange has the lines of both sides or none', async (t) => {
  const [v1, v2] = [await Origin.listen(), await Origin.listen()];
  const count = 200;
  const umbra = await UmbraProcess.start(
    reviews(v1.port, v2.port, {
      // However far behind the shadow is, there is room for all copies: none is dropped, and each has its
      // line.
      mirror: { inFlight: count + 1 },
      umbra: { accessLog: { sample: '50%', format: 'json' } },
    }),
  );
  for (let i = 0; i < count; i++) await ask(umbra.port, { headers: { 'x-request-id': `id-${i}` } });
  const { sent, dropped } = mirrorTo(await lawHolds(t, umbra), 'v2');
  t.equal(sent, count, `dropped: ${listed(dropped)}`);
  t.notOk(droppedLines(await umbra.metrics()), 'the rings of the log had room');
  await umbra.stop();
  const logged = umbra.out.split('\n').filter((line) => line.startsWith('{'));
  const idsOf = (role: string): string[] =>
    logged
      .map((line) => JSON.parse(line) as { role: string; requestId: string })
      .filter((entry) => entry.role === role)
      .map((entry) => entry.requestId)
      .sort();
  const chosen = idsOf('primary');
  t.ok(chosen.length > 0 && chosen.length < count, `${chosen.length} of ${count} exchanges were logged`);
  t.strictSame(idsOf('shadow'), chosen);
  await Promise.all([v1.close(), v2.close()]);
});

for (const format of ['envoy', 'json']) {
  t.test(`as ${format}, no line says what is secret by its name, of either side`, async (t) => {
    const [v1, v2] = [await Origin.listen(), await Origin.listen()];
    const umbra = await UmbraProcess.start(
      reviews(v1.port, v2.port, {
        umbra: { accessLog: { format }, redact: { headers: ['user-agent'] } },
      }),
    );
    const secret = 'hunter2';
    const headers = {
      authorization: `Bearer ${secret}`,
      cookie: `session=${secret}`,
      'x-api-key': secret,
      'user-agent': secret,
    };
    const target = `/reviews?page=2&token=${secret}&Api_Key=${secret}&session-id=${secret}`;
    for (let i = 0; i < 5; i++) await ask(umbra.port, { target, headers });
    const { fields } = v1.received[0]!;
    t.ok(
      fields.some(([, value]) => value.includes(secret)),
      'versions get it',
    );
    t.match(v1.received[0]!.target, secret);
    await lawHolds(t, umbra);
    await umbra.stop();
    const written = umbra.out.split('\n').filter((line) => line.includes('/reviews?page=2'));
    t.equal(written.length, 10, 'lines of both sides');
    t.notMatch(umbra.out, secret);
    t.notMatch(umbra.err, secret);
    await Promise.all([v1.close(), v2.close()]);
  });
}

t.test('the upstream is the address that was reached, not the name by which it was found', async (t) => {
  const v1 = await Origin.listen();
  const umbra = await UmbraProcess.start(
    reviews(v1.port, null, {
      v1: { endpoints: `http://localhost:${v1.port}` },
      umbra: { accessLog: { path: 'access.log' } },
    }),
  );
  await ask(umbra.port);
  const [line] = await lines(join(umbra.file.directory, 'access.log'), 1);
  t.equal(envoyLine.exec(line!)?.groups?.upstream, `127.0.0.1:${v1.port}`);
  await umbra.stop();
  await v1.close();
});

t.test('a request that no route takes has a line with the flag NR', async (t) => {
  const v1 = await Origin.listen();
  const umbra = await UmbraProcess.start(
    reviews(v1.port, null, {
      route: { match: { path: { prefix: '/reviews' } } },
      umbra: { accessLog: { path: 'access.log' } },
    }),
  );
  t.equal((await ask(umbra.port, { target: '/elsewhere' })).status, 404);
  const [line] = await lines(join(umbra.file.directory, 'access.log'), 1);
  t.match(envoyLine.exec(line)!.groups, { path: '/elsewhere', status: '404', flags: 'NR', upstream: '-' });
  await umbra.stop();
  await v1.close();
});

t.test('after SIGUSR1 lines go to a new file of the name, and none is lost', async (t) => {
  const v1 = await Origin.listen();
  const umbra = await UmbraProcess.start(
    reviews(v1.port, null, { umbra: { accessLog: { path: 'access.log' } } }),
  );
  const file = join(umbra.file.directory, 'access.log');
  await ask(umbra.port, { target: '/before' });
  await lines(file, 1);
  renameSync(file, `${file}.1`);
  umbra.signal('SIGUSR1');
  await lines(file, 0);
  for (let i = 0; i < 10; i++) await ask(umbra.port, { target: '/after' });
  t.equal((await lines(file, 10)).length, 10);
  t.equal((await lines(`${file}.1`, 1)).length, 1);
  await umbra.stop();
  await v1.close();
});

t.test('a disk that takes nothing costs log lines, which are counted, and no request waits', async (t) => {
  const v1 = await Origin.listen();
  const umbra = await UmbraProcess.start(
    reviews(v1.port, null, { umbra: { accessLog: { path: 'access.log' } } }),
  );
  // A pipe whose reader does not read stands for the disk.
  const file = join(umbra.file.directory, 'access.log');
  await lines(file, 0);
  renameSync(file, `${file}.1`);
  execFileSync('mkfifo', [file]);
  const pipe = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  umbra.signal('SIGUSR1');
  const headers = { 'x-request-id': 'i'.repeat(8000) };
  await until(async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask(umbra.port, { headers })));
    for (const { status } of answers) if (status !== 200) throw new Error(`answered ${status}`);
    return droppedLines(await umbra.metrics());
  }, 'lines are dropped');
  t.equal((await ask(umbra.port)).status, 200);
  closeSync(pipe);
  await umbra.stop();
  await v1.close();
});

t.test('whoever reads standard output may stop for a while, and misses no line', async (t) => {
  const v1 = await Origin.listen();
  const umbra = await UmbraProcess.start(reviews(v1.port, null, { umbra: { accessLog: {} } }));
  umbra.readOut(false);
  const count = 500;
  const target = `/${'x'.repeat(1000)}`;
  // Far more than a pipe holds.
  await askMany(umbra.port, count, 8, () => ({ target }));
  umbra.readOut(true);
  await umbra.stop();
  t.equal(umbra.out.split(target).length - 1, count);
  t.notMatch(umbra.err, /can't be written/);
  await v1.close();
});

t.test('a standard output that nobody reads any more does not keep umbra from ending', async (t) => {
  const v1 = await Origin.listen();
  const umbra = await UmbraProcess.start(reviews(v1.port, null, { umbra: { accessLog: {} } }));
  umbra.readOut(false);
  await askMany(umbra.port, 500, 8, () => ({ target: `/${'x'.repeat(1000)}` }));
  umbra.signal('SIGTERM');
  await until(() => {
    try {
      process.kill(umbra.pid, 0);
      return false;
    } catch {
      return true;
    }
  }, 'the process is gone');
  umbra.readOut(true);
  t.equal((await umbra.ended).code, 0);
  await v1.close();
});
