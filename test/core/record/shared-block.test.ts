import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { MirrorCounters } from '../../../core/record/mirror-counters.js';
import { VersionCounters } from '../../../core/record/version-counters.js';
import t from '../../support/tap.js';

const blocks = 300;
const freedBytes = 30 * 1024 * 1024;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

t.test(
  'a block of counters takes memory only where it is written, also after larger blocks have been freed',
  async (t) => {
    // This is what makes glibc take blocks of a counter block's size from its heap.
    t.equal(new ArrayBuffer(freedBytes).byteLength, freedBytes);
    collect();
    collect();
    const before = process.memoryUsage.rss();
    const kept = Array.from({ length: blocks }, () => [
      MirrorCounters.create(),
      VersionCounters.create(),
    ]).flat();
    const perBlock = (process.memoryUsage.rss() - before) / kept.length;
    t.ok(perBlock < 32 * 1024, `${Math.round(perBlock / 1024)} KiB for each of ${kept.length}`);
  },
);

t.test('a block starts as zeros, and two views of it see each other', async (t) => {
  const shared = MirrorCounters.create();
  const [one, other] = [new MirrorCounters(shared), new MirrorCounters(shared)];
  t.ok(new Uint8Array(shared).every((byte) => byte === 0));
  one.eligible();
  one.queue.record(7);
  t.equal(other.queue.count, 1);
});
