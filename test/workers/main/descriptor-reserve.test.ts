import { readdirSync } from 'node:fs';
import { mock } from 'node:test';
import { DescriptorReserve } from '../../../workers/main/descriptor-reserve.js';
import t from '../../support/tap.js';

const size = 8;
const skip = process.platform !== 'linux' && 'descriptors are counted in /proc';
const openNow = (): number => readdirSync('/proc/self/fd').length;

t.test(
  'where /dev/null is missing another file is reserved, and no shortage is reported',
  { skip },
  async (t) => {
    for (const [places, held] of [
      [['/nonexistent', '/'], size],
      [['/nonexistent'], 0],
    ] as const) {
      mock.timers.enable({ apis: ['setInterval'] });
      const before = openNow();
      let shortages = 0;
      const events = { onShortage: () => shortages++, onRecovery: () => t.fail('there was no shortage') };
      const reserve = new DescriptorReserve(events, size, places);
      t.equal(openNow() - before, held, places.join());
      mock.timers.tick(1000);
      t.equal(openNow() - before, held);
      reserve.close();
      t.equal(openNow(), before);
      t.equal(shortages, 0);
      mock.timers.reset();
    }
  },
);
