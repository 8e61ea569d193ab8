import { ThreadCounters } from '../../../core/record/thread-counters.js';
import { silentChecks, ThreadWatch, type WatchedThread } from '../../../workers/main/thread-watch.js';
import t, { type Test } from '../../support/tap.js';

/** A watch that the test itself lets check. */
function watched(t: Test, names: readonly string[]) {
  const blocks = new Map(names.map((name) => [name, ThreadCounters.create()]));
  const gone = new Set<string>();
  const changes: string[] = [];
  const threads = (): WatchedThread[] =>
    [...blocks].map(([name, counters]) => ({ name, counters })).filter(({ name }) => !gone.has(name));
  const watch = new ThreadWatch(threads, (name, silent) => changes.push(`${name} ${silent}`));
  t.teardown(() => watch.close());
  const pulse = (name: string): void => new ThreadCounters(blocks.get(name)!).setPulse(0, 0);
  const check = (times: number, ...pulsing: string[]): void => {
    for (let time = 0; time < times; time++) {
      for (const name of pulsing) pulse(name);
      watch.check();
    }
  };
  return { watch, changes, gone, check };
}

t.test('threads with pulses answer', async (t) => {
  const { watch, changes, check } = watched(t, ['a', 'b']);
  t.equal(watch.allAnswer, true, 'before the first check');
  check(3 * silentChecks, 'a', 'b');
  t.equal(watch.allAnswer, true);
  t.strictSame(changes, []);
});

t.test('a thread without a pulse is silent after ten checks, and is reported once', async (t) => {
  const { watch, changes, check } = watched(t, ['a', 'b']);
  check(1, 'a', 'b');
  check(silentChecks - 1, 'a');
  t.equal(watch.allAnswer, true);
  check(1, 'a');
  t.equal(watch.allAnswer, false);
  check(5, 'a');
  t.strictSame(changes, ['b true']);
  check(1, 'a', 'b');
  t.equal(watch.allAnswer, true);
  t.strictSame(changes, ['b true', 'b false']);
});

t.test('a thread that never had a pulse is silent, too', async (t) => {
  const { watch, check } = watched(t, ['a']);
  check(silentChecks + 1);
  t.equal(watch.allAnswer, false);
});

t.test('a silent thread that was stopped is no longer waited for', async (t) => {
  const { watch, changes, gone, check } = watched(t, ['a', 'b']);
  check(silentChecks + 1, 'a');
  t.equal(watch.allAnswer, false);
  gone.add('b');
  check(1, 'a');
  t.equal(watch.allAnswer, true);
  t.strictSame(changes, ['b true']);
});
