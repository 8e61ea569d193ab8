// Runs over one engine: NATS lies behind the engines.
import type { RecordedExchange } from '../../core/recording/recorded.js';
import type { MirrorStats } from '../../core/report/stats.js';
import { decodeMessage } from '../../core/stream/message.js';
import { ask, askMany } from '../support/client.js';
import { lawHolds, listed, mirrorTo } from '../support/law.js';
import { NatsServer, noNats } from '../support/nats.js';
import { Origin } from '../support/origin.js';
import t, { type Test } from '../support/tap.js';
import { reviews, sum, UmbraProcess, until } from '../support/umbra.js';

const skip = { skip: noNats };
const subject = 'umbra.reviews';

const v1 = await Origin.listen();
t.teardown(() => v1.close());

async function startNats(t: Test, ...words: string[]): Promise<NatsServer> {
  const nats = await NatsServer.start(...words);
  t.teardown(() => nats.stop());
  return nats;
}

/** One umbra whose requests go to a stream. */
async function startUmbra(
  t: Test,
  nats: NatsServer,
  stream: object = {},
  mirror: object = {},
): Promise<UmbraProcess> {
  const to = nats.stream(subject);
  const umbra = await UmbraProcess.start(
    reviews(v1.port, null, { route: { mirrors: [{ to, stream, ...mirror }] } }),
  );
  t.teardown(() => umbra.stop());
  return umbra;
}

async function mirrorOf(umbra: UmbraProcess, nats: NatsServer): Promise<MirrorStats> {
  return mirrorTo(await umbra.stats(), nats.stream(subject));
}

function askTimes(umbra: UmbraProcess, count: number, mark: string): Promise<unknown> {
  return askMany(umbra.port, count, 8, (i) => ({ target: `/${mark}/${i}` }));
}

/** Everything that is in the stream, in its order. */
async function messagesIn(nats: NatsServer): Promise<(RecordedExchange & { about: string; text: string })[]> {
  return nats.with(async ({ streams }) => {
    const name = subject.replace('.', '-');
    const { state } = await streams.info(name);
    const messages = [];
    for (let seq = state.first_seq; state.messages > 0 && seq <= state.last_seq; seq++) {
      const message = await streams.getMessage(name, { seq });
      if (message === null) continue;
      const about = message.header.get('Umbra');
      const exchange = decodeMessage(about, Buffer.from(message.data));
      if (typeof exchange === 'string') throw new Error(exchange);
      messages.push({ ...exchange, about, text: Buffer.from(message.data).toString('latin1') });
    }
    return messages;
  });
}

t.test(
  'each request is one message, with what the primary made of it and without secrets',
  skip,
  async (t) => {
    const nats = await startNats(t);
    v1.received.length = 0;
    const umbra = await startUmbra(t, nats, { primary: 'response' });
    for (let i = 0; i < 20; i++) {
      const body = i % 2 === 0 ? null : Buffer.alloc(i * 3000, `${i} `);
      const chunkBytes = i % 4 === 1 ? 7000 : null;
      await ask(umbra.port, {
        method: body === null ? 'GET' : 'PUT',
        target: `/r/${i}?token=TOPSECRET`,
        body,
        chunkBytes,
      });
    }
    const mirror = mirrorTo(await lawHolds(t, umbra), nats.stream(subject));
    t.strictSame([mirror.eligible, mirror.completed, mirror.sink], [20, 20, true], listed(mirror.dropped));
    const messages = await messagesIn(nats);
    t.strictSame(
      messages.map(({ request }) => `${request.method} ${request.target} ${request.body.length}`).sort(),
      v1.received
        .map(
          ({ method, target, bodyBytes }) =>
            `${method} ${target.replace('TOPSECRET', '[redacted]')} ${bodyBytes}`,
        )
        .sort(),
    );
    for (const { about, text, route, response, timeUs } of messages) {
      t.match(
        [route, response],
        ['reviews', { status: 200, bytes: 3, digest: Number, latencyUs: Number }],
        about,
      );
      t.ok(Math.abs(timeUs / 1000 - Date.now()) < 60_000, 'at a time on the wall clock');
      t.match(text, /HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nok\n$/, 'the response is behind the request');
      t.notMatch(text, /TOPSECRET/);
    }
  },
);

t.test(
  'while NATS is away as much waits for it as may, the rest is dropped, and nothing is lost or doubled',
  skip,
  async (t) => {
    const nats = await startNats(t);
    const umbra = await startUmbra(t, nats, { outstanding: 100 });
    await askTimes(umbra, 50, 'before');
    await until(async () => (await mirrorOf(umbra, nats)).completed === 50, 'all are acknowledged');
    await nats.kill();
    await askTimes(umbra, 300, 'meanwhile');
    const meanwhile = await until(async () => {
      const mirror = await mirrorOf(umbra, nats);
      return mirror.sent + sum(mirror.dropped) === 350 ? mirror : null;
    }, 'all are decided');
    t.strictSame(
      [meanwhile.sent, meanwhile.inFlight, listed(meanwhile.dropped)],
      [150, 100, '200 stream-down'],
    );
    await nats.startAgain();
    await until(async () => (await mirrorOf(umbra, nats)).inFlight === 0, 'what waited is acknowledged');
    await askTimes(umbra, 50, 'after');
    const mirror = mirrorTo(await lawHolds(t, umbra), nats.stream(subject));
    t.strictSame(
      [mirror.completed, listed(mirror.failed), listed(mirror.dropped)],
      [200, '0', '200 stream-down'],
    );
    const targets = (await messagesIn(nats)).map(({ request }) => request.target);
    t.equal(targets.length, 200);
    await until(async () => (await mirrorOf(umbra, nats)).kept?.lag === 200, 'nobody has taken any');
    t.equal(new Set(targets).size, 200, 'each once');
  },
);

t.test(
  'a full stream is reported by its name, and accepts copies again when there is room',
  skip,
  async (t) => {
    const nats = await startNats(t);
    const umbra = await startUmbra(t, nats, { size: '1MiB' });
    const body = Buffer.alloc(50_000, 'x');
    const post = () => askMany(umbra.port, 60, 4, () => ({ method: 'POST', target: '/big', body }));
    await post();
    const full = mirrorTo(await lawHolds(t, umbra), nats.stream(subject));
    t.ok(full.completed > 10 && full.completed < 22, `${full.completed} fit`);
    t.equal(full.completed + (full.failed['stream-full'] ?? 0) + (full.dropped['stream-full'] ?? 0), 60);
    const isUp = async () => /^umbra_sink_up\{.*\} 1$/m.test(await umbra.metrics());
    await until(async () => !(await isUp()), 'it is down');
    await nats.with(async ({ streams }) => {
      t.equal((await streams.info('umbra-reviews')).state.messages, full.completed);
      await streams.purge('umbra-reviews');
    });
    await until(isUp, 'it is up without a request');
    await until(async () => {
      await post();
      return (await mirrorOf(umbra, nats)).completed > full.completed;
    }, 'it continues');
    await lawHolds(t, umbra);
  },
);
