/** `threads`: the numbers of threads, and the memory between them. */
import { z } from 'zod';
import { limits } from '../../core/limits.js';
import { formatSize, parseSize, Refusal, sizePattern } from '../units.js';
import { integer, mapping, text } from './values.js';

/** The largest niceness of setpriority(2). */
const niceMax = 19;
const ringBytesMin = 64 * 1024;
const ringBytesMax = 1024 * 1024 * 1024;

function parseRingSize(value: string): number | Refusal {
  const bytes = parseSize(value);
  if (bytes instanceof Refusal) return bytes;
  const powerOfTwo = Number.isInteger(Math.log2(bytes));
  return powerOfTwo && bytes >= ringBytesMin && bytes <= ringBytesMax ? bytes : new Refusal(ringExpected);
}
const ringExpected = 'expected a power of two from 64KiB to 1GiB';

const threadsExpected = `expected auto or a whole number from 1 to ${limits.threads}`;
const threadCount = z.union([z.literal('auto'), integer(1, limits.threads, threadsExpected)], {
  error: threadsExpected,
});

export const threads = mapping({
  proxy: threadCount.prefault('auto').meta({
    description: 'Threads that serve clients; `auto` is the number of cores minus one, at least 1.',
  }),
  shadow: threadCount.prefault('auto').meta({
    description: 'Threads that send copies to shadows; `auto` is a quarter of the cores, at least 1.',
  }),
  ring: text(ringExpected, parseRingSize, formatSize).prefault(formatSize(limits.ringBytes)).meta({
    description:
      'Memory between one proxy and one shadow thread: a power of two from 64KiB to 1GiB. There are proxy × shadow rings; a full ring drops copies (`ring-full`).',
    pattern: sizePattern.source,
  }),
  nice: integer(0, niceMax).prefault(0).meta({
    description:
      'Niceness of shadow threads (Linux only). Above 0, a busy machine drops copies before it delays clients, and shadow latencies include time spent waiting for a CPU.',
  }),
});
