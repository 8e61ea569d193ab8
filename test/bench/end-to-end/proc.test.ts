import { existsSync } from 'node:fs';
import {
  cpuOf,
  memoryOf,
  parseCpuBusyTicks,
  parseMemory,
  parseStat,
  runTimeUs,
  threadsBetween,
} from '../../../bench/end-to-end/proc.js';
import t from '../../support/tap.js';

const tail = 'S 1 2 3 0 -1 4194560 100 0 0 0 1234 567 8 9 20 0 11 0 12345 1000000 200';

t.test('user and system time are found behind an ordinary name', async (t) => {
  t.same(parseStat(`4242 (nginx) ${tail}\n`), { name: 'nginx', userTicks: 1234, systemTicks: 567 });
});

t.test('a name with spaces and parentheses does not shift the fields', async (t) => {
  t.same(parseStat(`4242 (a) S 9 (b c) ${tail}`), { name: 'a) S 9 (b c', userTicks: 1234, systemTicks: 567 });
});

t.test('text that is not a stat line is refused', async (t) => {
  t.throws(() => parseStat('no such file'), /not a stat line/);
});

t.test('a CPU is busy in all its time but idle and waiting, and guests are not counted twice', async (t) => {
  const stat = 'cpu  9 9 9 9 9 9 9 9 9 9\ncpu0 1 2 4 1000 2000 8 16 32 7 7\ncpu10 5 0 0 1 1 0 0 0 0 0\n';
  t.equal(parseCpuBusyTicks(stat, 0), 63);
  t.equal(parseCpuBusyTicks(stat, 10), 5);
  t.throws(() => parseCpuBusyTicks(stat, 1), /no CPU 1/);
});

t.test('resident and peak memory are bytes', async (t) => {
  const status = 'Name:\tnode\nVmPeak:\t  900000 kB\nVmHWM:\t   2048 kB\nVmRSS:\t   1024 kB\n';
  t.same(parseMemory(status), { residentBytes: 2 ** 20, peakBytes: 2 ** 21 });
});

t.test('a process without memory of its own gives no figure rather than zero', async (t) => {
  t.ok(Number.isNaN(parseMemory('Name:\tkthreadd\n').residentBytes));
});

t.test(
  'between two samples, threads are those that worked, the busiest first, and a new one counts whole',
  async (t) => {
    const before = {
      cpuUs: 0,
      threads: [
        { tid: 1, name: 'a', cpuUs: 100, kernelUs: 10 },
        { tid: 2, name: 'b', cpuUs: 50, kernelUs: 5 },
      ],
    };
    const after = {
      cpuUs: 0,
      threads: [
        { tid: 1, name: 'a', cpuUs: 130, kernelUs: 13 },
        { tid: 2, name: 'b', cpuUs: 50, kernelUs: 5 },
        { tid: 3, name: 'c', cpuUs: 70, kernelUs: 7 },
      ],
    };
    t.same(threadsBetween(before, after), [
      { tid: 3, name: 'c', cpuUs: 70, kernelUs: 7 },
      { tid: 1, name: 'a', cpuUs: 30, kernelUs: 3 },
    ]);
  },
);

t.test('this process itself can be read', { skip: !existsSync('/proc/self/stat') }, async (t) => {
  const before = cpuOf([process.pid]);
  const endMs = performance.now() + 100;
  while (performance.now() < endMs);
  const after = cpuOf([process.pid]);
  t.ok(after.cpuUs > before.cpuUs);
  t.ok(after.threads.some(({ tid }) => tid === process.pid));
  const { residentBytes, peakBytes } = memoryOf([process.pid]);
  t.ok(residentBytes > 10 * 2 ** 20);
  t.ok(peakBytes >= residentBytes);
});

t.test(
  'run time of this process is that of its threads, and finer than a tick',
  { skip: !existsSync('/proc/self/schedstat') },
  async (t) => {
    const beforeUs = runTimeUs(process.pid, process.pid);
    const endMs = performance.now() + 5;
    while (performance.now() < endMs);
    const passedUs = runTimeUs(process.pid, process.pid) - beforeUs;
    t.ok(passedUs > 0, String(passedUs));
    t.ok(runTimeUs(process.pid) >= beforeUs + passedUs);
    t.equal(runTimeUs(process.pid, 2 ** 30), 0, 'a thread that has ended');
  },
);
