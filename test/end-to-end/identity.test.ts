// Runs over both engines.
import { ask, askMany, RawClient } from '../support/client.js';
import { behaviour } from '../support/engines.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import { Nginx, nginxVersion } from '../support/nginx.js';
import { fieldOf, Origin } from '../support/origin.js';
import t from '../support/tap.js';
import { reviews, UmbraProcess } from '../support/umbra.js';
import {
  answerAs,
  asked,
  asWords,
  bodyOf,
  edgeFields,
  mixedRequest,
  requestsWith,
  sizesOf,
} from './mixed.js';

/** 10,000 for a long look by hand: `UMBRA_IDENTITY=10000 node dist/test/end-to-end/identity.test.js`. */
const requests = Number(process.env.UMBRA_IDENTITY ?? 600);
const concurrency = 12;

t.test(
  'every request arrives at v1 and at v2 as the client sent it with the fields of the edge behind, and the client gets what v1 answered',
  async (t) => {
    const v1 = await Origin.listen((received, response) => answerAs('v1', received, response));
    const v2 = await Origin.listen((received, response) => answerAs('v2', received, response));
    const umbra = await UmbraProcess.start(
      reviews(v1.port, v2.port, {
        mirror: { body: { max: '8MiB' }, inFlight: 4096 },
        umbra: { threads: { proxy: 2, shadow: 2, ring: '64MiB' } },
      }),
    );
    const mixed = Array.from({ length: requests }, (_, index) => mixedRequest(index));
    const answers = await askMany(
      umbra.port,
      requests,
      concurrency,
      (index) => asked(mixed[index]),
      (answer, index) => ({
        index,
        status: answer.status,
        from: answer.fields.find(([name]) => name === 'x-version')?.[1],
        cookies: answer.fields.filter(([name]) => name === 'set-cookie').map(([, value]) => value),
        bytes: answer.body.length,
        sha: answer.sha,
      }),
    );
    const stats = await lawHolds(t, umbra);
    const mirror = mirrorTo(stats, 'v2');
    t.equal(mirror.eligible, requests);
    t.equal(mirror.completed, requests, 'every copy was completed');

    const wrong: unknown[] = [];
    const ids = new Set<string>();
    for (const [index, request] of mixed.entries()) {
      const sent = asWords(request);
      const [at1, at2] = [requestsWith(v1, index), requestsWith(v2, index)];
      if (at1.length !== 1 || at2.length !== 1) wrong.push({ index, at1: at1.length, at2: at2.length });
      else {
        const host = fieldOf(at1[0], 'host')!;
        const expected = [
          { ...sent, host },
          {
            ...sent,
            fields: [...sent.fields, ['x-umbra-mirror', '1']],
            host: host.replace(/(:|$)/, '-shadow$1'),
          },
        ];
        const seen = [at1[0], at2[0]].map((received) => asWords(received));
        for (const i of [0, 1])
          if (JSON.stringify(seen[i]) !== JSON.stringify(expected[i]))
            wrong.push({ seen: seen[i], expected: expected[i] });
        const [edge1, edge2] = [at1[0], at2[0]].map((received) =>
          received.fields.filter(([name]) => edgeFields.includes(name)),
        );
        const id = fieldOf(at1[0], 'x-request-id');
        const edge = [
          ['x-forwarded-for', '127.0.0.1'],
          ['x-forwarded-proto', 'http'],
          ['x-forwarded-host', host],
          ['x-request-id', id],
        ];
        for (const seenEdge of [edge1, edge2])
          if (JSON.stringify(seenEdge) !== JSON.stringify(edge)) wrong.push({ edge, seenEdge });
        ids.add(id!);
      }
      const answer = answers[index];
      const { status, bytes, sha } = sizesOf(request);
      const right =
        answer.status === status &&
        answer.from === 'v1' &&
        answer.bytes === bytes &&
        answer.sha === sha &&
        answer.cookies.join() === `a=${index},b=${index}`;
      if (!right) wrong.push({ index, request: sent, answer, expected: { status, bytes, sha } });
    }
    t.strictSame(wrong.slice(0, 3), [], `${wrong.length} of ${requests} differ`);
    t.equal(ids.size, requests, 'every request has an id of its own');
    await umbra.stop();
    await Promise.all([v1.close(), v2.close()]);
  },
);

const lostBytes = behaviour.keepsAllBytes && 'this engine keeps all bytes';

t.test('bytes of a header value that are not UTF-8 are refused', { skip: lostBytes }, async (t) => {
  const v1 = await Origin.listen();
  const v2 = await Origin.listen();
  const umbra = await UmbraProcess.start(reviews(v1.port, v2.port));
  const client = await RawClient.connect(umbra.port);
  client.send('GET / HTTP/1.1\r\nhost: h\r\nx-latin1: a caf\xe9 is\r\n\r\n');
  t.match(await client.end(), /^HTTP\/1\.1 400 /);
  t.equal((await ask(umbra.port)).status, 200);
  await lawHolds(t, umbra);
  t.equal(v1.received.length, 1);
  t.equal(v2.received.length, 1);
  await umbra.stop();
  await Promise.all([v1.close(), v2.close()]);
});

t.test(
  'files of nginx arrive at clients unchanged while nginx gets a copy of every request',
  { skip: nginxVersion() === null && 'nginx is not installed' },
  async (t) => {
    const files: Record<string, Buffer> = {
      'empty.bin': Buffer.alloc(0),
      'small.bin': bodyOf(1, 295),
      'large.bin': bodyOf(2, 3_000_000),
    };
    const nginx = await Nginx.start(files);
    const v1 = await Nginx.start(files);
    const umbra = await UmbraProcess.start(reviews(v1.port, nginx.port, { mirror: { inFlight: 4096 } }));
    const names = Object.keys(files);
    const rounds = Math.max(60, Math.floor(requests / 10));
    const answers = await askMany(
      umbra.port,
      rounds,
      concurrency,
      (index) => ({ target: `/${names[index % 3]}`, method: index % 7 === 6 ? 'HEAD' : 'GET' }),
      (answer, index) => {
        const expected = index % 7 === 6 ? Buffer.alloc(0) : files[names[index % 3]];
        return answer.status === 200 && answer.body.equals(expected);
      },
    );
    t.ok(answers.every(Boolean));
    const stats = await lawHolds(t, umbra);
    t.equal(mirrorTo(stats, 'v2').completed, rounds);
    t.equal(mirrorTo(stats, 'v2').compare.equal, rounds, 'both nginx answered alike');
    await umbra.stop();
    await Promise.all([nginx.stop(), v1.stop()]);
  },
);
