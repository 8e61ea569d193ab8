import { nowUs } from '../../../core/clock.js';
import { Drop } from '../../../core/errors.js';
import { GrpcStatus } from '../../../core/grpc/grpc-status.js';
import { Framing } from '../../../core/http/message.js';
import { pairsAlone } from '../../../core/plan.js';
import { Histogram } from '../../../core/record/histogram.js';
import { MirrorField } from '../../../core/record/mirror-counters.js';
import { readMirror } from '../../../core/record/snapshot.js';
import type { RecordedExchange } from '../../../core/recording/recorded.js';
import type { ReadyRequest } from '../../../core/replay/packed.js';
import { Player, type PlayerOptions } from '../../../core/replay/player.js';
import { ReplayCounters } from '../../../core/replay/replay-counters.js';
import { VersionPool } from '../../../core/upstream/pool.js';
import { UpstreamResources } from '../../../core/upstream/resources.js';
import { targetsAsWritten } from '../../../core/upstream/target.js';
import { serverAsVersion } from '../../../workers/commands/one-mirror.js';
import { type Answer, Origin } from '../../support/origin.js';
import t, { type Test } from '../../support/tap.js';
import { RecordingCounters } from '../upstream/exchange.js';

function exchange(target: string): RecordedExchange {
  const body = Buffer.alloc(0);
  const request = { method: 'GET', target, host: 'h', fields: '', framing: Framing.NONE, trailers: '' };
  return {
    timeUs: 0,
    route: '',
    order: '',
    request: { ...request, lengthZero: false, body, grpc: false, messageTimes: '' },
    response: null,
    primaryFailure: -1,
  };
}

/** Plays `ready` to `port`; `before` is called before each request is read. */
function play(
  t: Test,
  port: number,
  ready: ReadyRequest[],
  changes: Partial<PlayerOptions> = {},
  before: () => void = () => {},
): { player: Player; counters: ReplayCounters } {
  const clock = changes.clock ?? nowUs;
  const version = serverAsVersion('v2', `http://127.0.0.1:${port}`, 8, 8, 60_000);
  const resources = new UpstreamResources(clock, new RecordingCounters());
  const pool = new VersionPool(version, resources, targetsAsWritten(version));
  t.teardown(() => pool.close());
  const counters = new ReplayCounters();
  const player = new Player({
    source: {
      next: () => {
        before();
        return ready.shift() ?? null;
      },
      get ended() {
        return ready.length === 0;
      },
    },
    servers: {
      shadow: { pool, grpcPool: pool, counters: counters.played, host: null, tokens: null },
      primary: null,
      baseline: null,
    },
    compare: pairsAlone,
    pairs: null,
    tokenSources: [],
    counters,
    clock,
    atOnce: false,
    timeoutMs: 60_000,
    messagePace: { speed: 1, longStreams: 'extend' },
    inFlightMax: 8,
    ...changes,
  });
  player.more();
  return { player, counters };
}

function requests(count: number, changes: (i: number) => Partial<ReadyRequest> = () => ({})): ReadyRequest[] {
  return Array.from({ length: count }, (_, i) => ({
    exchange: exchange(`/${i}`),
    afterUs: 0,
    key: null,
    ...changes(i),
  }));
}

async function origin(t: Test, answer?: Answer): Promise<Origin> {
  const listening = await Origin.listen(answer);
  t.teardown(() => listening.close());
  return listening;
}

const lateUs = 5_000_000;

t.test('a request that is read late is charged to the replayer and not to the version', async (t) => {
  const v2 = await origin(t);
  let skewUs = 0;
  const ready = requests(2);
  // Reading the second one takes so long.
  const before = (): void => {
    if (ready.length === 1) skewUs += lateUs;
  };
  const { player, counters } = play(t, v2.port, ready, { clock: () => nowUs() + skewUs }, before);
  await player.done;
  t.equal(v2.received.length, 2);
  t.ok(counters.mirror.queue.maxUs >= lateUs);
  const latency = Histogram.read([counters.played.latency]);
  t.equal(latency.count, 2);
  // The first one was sent before the clock moved, the second one after it: neither has it in its latency
  // twice.
  t.ok(latency.minUs < lateUs, `${latency.minUs}`);
});

t.test('a request goes out at its time and not before, though those before it have no answer', async (t) => {
  const sentUs: number[] = [];
  const waiting: (() => void)[] = [];
  const v2 = await origin(t, (_, response) => {
    sentUs.push(nowUs());
    waiting.push(() => response.end());
    if (waiting.length === 3) for (const answer of waiting) answer();
  });
  const startUs = nowUs();
  const { player } = play(
    t,
    v2.port,
    requests(3, (i) => ({ afterUs: i * 20_000 })),
  );
  await player.done;
  t.equal(sentUs.length, 3);
  for (const [i, atUs] of sentUs.entries()) t.ok(atUs - startUs >= i * 20_000, `${atUs - startUs} us`);
});

t.test('requests of one key follow the answer to the one before, in their order', async (t) => {
  const open = new Map<string, number>();
  let most = 0;
  const v2 = await origin(t, ({ target }, response) => {
    const key = String(Number(target.slice(1)) % 3);
    const now = (open.get(key) ?? 0) + 1;
    open.set(key, now);
    most = Math.max(most, now);
    setImmediate(() => {
      open.set(key, open.get(key)! - 1);
      response.end();
    });
  });
  const { player, counters } = play(
    t,
    v2.port,
    requests(60, (i) => ({ key: String(i % 3) })),
    { inFlightMax: 1000 },
  );
  await player.done;
  t.equal(most, 1, 'one at a time');
  for (const key of [0, 1, 2]) {
    const own = v2.received.map(({ target }) => Number(target.slice(1))).filter((i) => i % 3 === key);
    t.strictSame(
      own,
      [...own].sort((a, b) => a - b),
    );
  }
  t.equal(counters.mirror.get(MirrorField.completed), 60);
});

t.test('what is due beyond the bound is dropped and counted, and nothing else is lost', async (t) => {
  const answers: (() => void)[] = [];
  const v2 = await origin(t, (_, response) => void answers.push(() => response.end()));
  const { player, counters } = play(t, v2.port, requests(50), { inFlightMax: 5 });
  await v2.untilReceived(5);
  while (answers.length < 5) await new Promise(setImmediate);
  for (const answer of answers) answer();
  await player.done;
  const { mirror } = counters;
  t.strictSame(
    [MirrorField.eligible, MirrorField.sent, MirrorField.completed].map((field) => mirror.get(field)),
    [50, 5, 5],
  );
  t.equal(readMirror([mirror]).dropped[Drop.IN_FLIGHT], 45);
});

t.test('without times as many are under way as may be, and never more', async (t) => {
  let [open, most] = [0, 0];
  const v2 = await origin(t, (_, response) => {
    most = Math.max(most, ++open);
    setImmediate(() => {
      open--;
      response.end();
    });
  });
  const { player, counters } = play(
    t,
    v2.port,
    requests(200, () => ({ afterUs: -1 })),
    { atOnce: true, inFlightMax: 4 },
  );
  await player.done;
  t.ok(most > 1 && most <= 4, `${most} at once`);
  t.equal(counters.mirror.get(MirrorField.completed), 200);
});

t.test('a replay that is stopped finishes what is under way and sends nothing more', async (t) => {
  const answers: (() => void)[] = [];
  const v2 = await origin(t, (_, response) => void answers.push(() => response.end()));
  const later = (i: number): Partial<ReadyRequest> => ({ key: 'one', afterUs: i < 2 ? 0 : 60_000_000 });
  const { player, counters } = play(t, v2.port, requests(3, later));
  await v2.untilReceived(1);
  player.stop();
  while (answers.length < 1) await new Promise(setImmediate);
  answers[0]();
  await player.done;
  t.equal(v2.received.length, 1);
  t.strictSame([counters.mirror.get(MirrorField.completed), player.inFlight], [1, 0]);
});

t.test('pairs have the number of their request, dropped ones counted', async (t) => {
  const v2 = await origin(t);
  const numbers: number[] = [];
  const content = { head: '200 OK\r\n', body: Buffer.from('ok\n'), truncated: false };
  const figures = { bytes: 3, digest: null, truncated: false, latencyUs: 1 };
  const response = { status: 200, grpcStatus: GrpcStatus.NONE, ...figures, content };
  const recorded = (i: number): Partial<ReadyRequest> => ({
    exchange: { ...exchange(`/${i}`), response },
    afterUs: i < 3 ? 0 : 30_000,
  });
  const { player } = play(t, v2.port, requests(4, recorded), {
    inFlightMax: 1,
    pairs: {
      take: ({ number }) => {
        numbers.push(number);
        return true;
      },
    },
  });
  await player.done;
  t.equal(numbers[0], 1);
  t.equal(numbers.at(-1), 4);
});
