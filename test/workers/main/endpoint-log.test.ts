import { Cause } from '../../../core/endpoint-cause.js';
import { limits } from '../../../core/limits.js';
import { EndpointLog } from '../../../workers/main/endpoint-log.js';
import type { EndpointEvent } from '../../../workers/protocol/messages.js';
import t from '../../support/tap.js';

const refused = 1;

function rig() {
  const time = { ms: 0 };
  const lines: string[] = [];
  const log = new EndpointLog({
    onLog: ({ message }) => lines.push(message),
    onErrors: () => {},
    clockMs: () => time.ms,
  });
  return { time, lines, log };
}

function failed(count = 1, ejectedMs = 0, cause: number = refused): EndpointEvent {
  const news = { what: 'failed', cause, errno: 'ECONNREFUSED', count, atMs: 5, ejectedMs } as const;
  return { ...head, news };
}
const head = {
  type: 'endpoint',
  version: 'v1',
  role: 'primary',
  endpoint: 'http://reviews:80',
  address: '10.0.0.7:80',
} as const;
const name = 'endpoint http://reviews:80 at 10.0.0.7:80 (version v1)';

t.test('a storm of failures makes few lines, and none is left out of the count', async (t) => {
  const { time, lines, log } = rig();
  for (let i = 0; i < 100; i++) log.take('proxy-0', failed());
  t.equal(lines.length, limits.endpointLogBurst);
  time.ms += limits.endpointLogMs;
  log.take('proxy-0', failed(2));
  t.equal(lines.at(-1), `${name}: connection refused (ECONNREFUSED), and 99 more in 10 s`);
  t.equal(log.errors[0]!.count, 102);
});

t.test('another cause and another endpoint have lines of their own', async (t) => {
  const { lines, log } = rig();
  for (let i = 0; i < 10; i++) {
    log.take('proxy-0', failed());
    log.take('proxy-0', failed(1, 0, Cause.CONNECT_TIMEOUT));
    log.take('proxy-0', { ...failed(), address: '10.0.0.8:80' });
  }
  t.equal(lines.length, 3 * limits.endpointLogBurst);
});

t.test(
  'an ejection is reported once for all threads, and its end when it is over on the last one',
  async (t) => {
    const { lines, log } = rig();
    const back: EndpointEvent = { ...head, news: { what: 'back', answered: true } };
    log.take('proxy-0', failed(1, 10_000));
    log.take('proxy-1', failed(1, 10_000));
    log.take('proxy-0', back);
    log.take('proxy-1', back);
    t.strictSame(lines, [
      `${name}: connection refused (ECONNREFUSED); ejected for 10 s`,
      `${name}: connection refused (ECONNREFUSED)`,
      `${name}: answers again`,
    ]);
  },
);

t.test('a thread that ended has nothing ejected any more', async (t) => {
  const { lines, log } = rig();
  log.take('proxy-0', failed(1, 10_000));
  log.gone('proxy-0');
  log.take('proxy-0', { ...head, news: { what: 'back', answered: false } });
  t.equal(lines.length, 1);
});

t.test('a version that left the configuration is forgotten', async (t) => {
  const { log } = rig();
  log.take('proxy-0', failed());
  log.follow([{ name: 'v2' }]);
  t.strictSame(log.errors, []);
});

t.test('what waits for its turn is written although nothing follows', async (t) => {
  const { lines, log } = rig();
  const pending = t.context as { timers?: (() => void)[] };
  pending.timers = [];
  const real = globalThis.setTimeout;
  globalThis.setTimeout = ((run: () => void) => {
    pending.timers!.push(run);
    return { unref: () => ({}) };
  }) as never;
  t.teardown(() => {
    globalThis.setTimeout = real;
  });
  for (let i = 0; i < 5; i++) log.take('proxy-0', failed());
  for (const run of pending.timers) run();
  t.match(lines.at(-1), /connection refused \(ECONNREFUSED\), and 2 more/);
});
