import t from 'tap';
import { nowUs } from '../../../core/clock.js';
import { Framing } from '../../../core/http/message.js';
import { pairsAlone } from '../../../core/plan.js';
import { Histogram } from '../../../core/record/histogram.js';
import type { RecordedExchange } from '../../../core/recording/recorded.js';
import type { ReadyRequest } from '../../../core/replay/packed.js';
import { Player } from '../../../core/replay/player.js';
import { ReplayCounters } from '../../../core/replay/replay-counters.js';
import { VersionPool } from '../../../core/upstream/pool.js';
import { UpstreamResources } from '../../../core/upstream/resources.js';
import { targetsAsWritten } from '../../../core/upstream/target.js';
import { serverAsVersion } from '../../../workers/commands/one-mirror.js';
import { Origin } from '../../support/origin.js';
import { RecordingCounters } from '../upstream/exchange.js';

function exchange(target: string): RecordedExchange {
  const body = Buffer.alloc(0);
  const request = { method: 'GET', target, host: 'h', fields: '', framing: Framing.NONE, trailers: '' };
  return {
    timeUs: 0,
    route: '',
    order: '',
    request: { ...request, lengthZero: false, body },
    response: null,
    primaryFailure: -1,
  };
}

const lateUs = 5_000_000;

t.test('a request that is read late is charged to the replayer and not to the version', async (t) => {
  const origin = await Origin.listen((_, response) => void response.end('ok'));
  t.teardown(() => origin.close());
  let skewUs = 0;
  const clock = () => nowUs() + skewUs;
  const version = serverAsVersion('v2', `http://127.0.0.1:${origin.port}`, 8, 8, 60_000);
  const pool = new VersionPool(
    version,
    new UpstreamResources(clock, new RecordingCounters()),
    targetsAsWritten(version),
  );
  t.teardown(() => pool.close());
  const ready: ReadyRequest[] = ['/0', '/1'].map((target) => ({
    exchange: exchange(target),
    afterUs: 0,
    key: null,
  }));
  const counters = new ReplayCounters();
  const player = new Player({
    source: {
      next: () => {
        // Reading the second one takes so long.
        if (ready.length === 1) skewUs += lateUs;
        return ready.shift() ?? null;
      },
      get ended() {
        return ready.length === 0;
      },
    },
    servers: {
      shadow: { pool, counters: counters.played, host: null, tokens: null },
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
    inFlightMax: 8,
  });
  player.more();
  await player.done;
  t.equal(origin.received.length, 2);
  t.ok(counters.mirror.queue.maxUs >= lateUs);
  const latency = Histogram.read([counters.played.latency]);
  t.equal(latency.count, 2);
  // The first one was sent before the clock moved, the second one after it: neither has it in its latency
  // twice.
  t.ok(latency.minUs < lateUs, `${latency.minUs}`);
});
