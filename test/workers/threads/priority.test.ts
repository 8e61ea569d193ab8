import { readdirSync, readFileSync } from 'node:fs';
import { backgroundNice } from '../../../workers/threads/priority.js';
import { Origin } from '../../support/origin.js';
import t from '../../support/tap.js';
import { reviews, UmbraProcess } from '../../support/umbra.js';

/**
 * Field 19 of /proc/PID/task/TID/stat, counted from behind the name, which ends with the last parenthesis.
 */
const niceAfterName = 19 - 3;

function nicenesses(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).map((tid) => {
    const stat = readFileSync(`/proc/${pid}/task/${tid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[niceAfterName]);
  });
}

const skip = process.platform !== 'linux' && 'threads have a niceness of their own on Linux alone';

t.test(
  'the control thread runs at a lower priority than proxy threads, and shadow threads as configured',
  { skip },
  async (t) => {
    const v1 = await Origin.listen();
    for (const nice of [0, 7]) {
      const umbra = await UmbraProcess.start(
        reviews(v1.port, v1.port, { umbra: { threads: { proxy: 2, shadow: 2, nice } } }),
      );
      const own = nicenesses(process.pid)[0];
      const lower = nicenesses(umbra.pid).filter((of) => of !== own);
      t.same(lower.sort(), nice === 0 ? [backgroundNice] : [backgroundNice, nice, nice]);
      await umbra.stop();
    }
    await v1.close();
  },
);
