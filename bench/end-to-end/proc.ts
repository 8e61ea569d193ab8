/** CPU time and memory of running processes, as Linux reports them under /proc (proc(5)). */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

export interface ThreadCpu {
  readonly tid: number;
  readonly name: string;
  readonly cpuUs: number;
  /** The part of it that was spent in system calls and interrupts. */
  readonly kernelUs: number;
}

export interface CpuSample {
  /** User and system time of all threads, those that have ended included. */
  readonly cpuUs: number;
  /** CPU time of the threads that are alive. */
  readonly threads: readonly ThreadCpu[];
}

export interface Stat {
  readonly name: string;
  readonly userTicks: number;
  readonly systemTicks: number;
}

export interface Memory {
  readonly residentBytes: number;
  readonly peakBytes: number;
}

/** Fields of /proc/PID/stat after the name, counted from the state, which is field 3. */
const userField = 14 - 3;
const systemField = 15 - 3;

export function cpuOf(pids: readonly number[]): CpuSample {
  let cpuUs = 0;
  const threads: ThreadCpu[] = [];
  for (const pid of pids) {
    cpuUs += statCpuUs(parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1')));
    for (const tid of readdirSync(`/proc/${pid}/task`)) {
      const thread = readThread(`/proc/${pid}/task/${tid}/stat`, Number(tid));
      if (thread !== null) threads.push(thread);
    }
  }
  return { cpuUs, threads };
}

/**
 * CPU time of one thread so far, or of all threads of a process that are alive, in microseconds. It is exact
 * to the nanosecond, and not counted in ticks of 10 ms as in `cpuOf`, so that it serves short windows.
 */
export function runTimeUs(pid: number, tid: number | null = null): number {
  const tids = tid === null ? readdirSync(`/proc/${pid}/task`) : [tid];
  return tids.reduce((sum: number, one) => sum + threadRunTimeUs(`/proc/${pid}/task/${one}/schedstat`), 0);
}

/** The threads that did something between two samples, the busiest first, with what each spent. */
export function threadsBetween(before: CpuSample, after: CpuSample): ThreadCpu[] {
  const earlier = new Map(before.threads.map((thread) => [thread.tid, thread]));
  return after.threads
    .map((thread) => ({
      ...thread,
      cpuUs: thread.cpuUs - (earlier.get(thread.tid)?.cpuUs ?? 0),
      kernelUs: thread.kernelUs - (earlier.get(thread.tid)?.kernelUs ?? 0),
    }))
    .filter((thread) => thread.cpuUs > 0)
    .sort((a, b) => b.cpuUs - a.cpuUs);
}

export function memoryOf(pids: readonly number[]): Memory {
  let residentBytes = 0;
  let peakBytes = 0;
  for (const pid of pids) {
    const memory = parseMemory(readFileSync(`/proc/${pid}/status`, 'latin1'));
    residentBytes += memory.residentBytes;
    peakBytes += memory.peakBytes;
  }
  return { residentBytes, peakBytes };
}

/** Resets the peak. Returns false where the kernel does not allow it. */
export function resetPeak(pid: number): boolean {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
    return true;
  } catch {
    return false;
  }
}

/** Time that CPU `index` was busy, for whomever, since it started. */
export function cpuBusyUs(index: number): number {
  return parseCpuBusyTicks(readFileSync('/proc/stat', 'latin1'), index) * tickUs();
}

export function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

/** The name stands in parentheses and may hold spaces and parentheses itself, so the last one closes it. */
export function parseStat(text: string): Stat {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 0 || close < open) throw new Error(`not a stat line: ${text}`);
  const fields = text.slice(close + 2).split(' ');
  return {
    name: text.slice(open + 1, close),
    userTicks: Number(fields[userField]),
    systemTicks: Number(fields[systemField]),
  };
}

/** Ticks outside `idle` and `iowait`; guest time is part of user time already. */
export function parseCpuBusyTicks(stat: string, index: number): number {
  const line = new RegExp(`^cpu${index} (.*)$`, 'm').exec(stat);
  if (line === null) throw new Error(`there is no CPU ${index}`);
  const [user, nice, system, , , irq, softIrq, steal] = line[1].split(' ').map(Number);
  return user + nice + system + irq + softIrq + steal;
}

export function parseMemory(status: string): Memory {
  const bytes = (key: string): number => {
    const found = new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(status);
    return found === null ? Number.NaN : Number(found[1]) * 1024;
  };
  return { residentBytes: bytes('VmRSS'), peakBytes: bytes('VmHWM') };
}

let ticksPerSecond = 0;

function tickUs(): number {
  if (ticksPerSecond === 0)
    ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'latin1' }));
  return 1e6 / ticksPerSecond;
}

function statCpuUs(stat: Stat): number {
  return (stat.userTicks + stat.systemTicks) * tickUs();
}

/** Null for a thread that ended between the listing and the reading. */
function readThread(path: string, tid: number): ThreadCpu | null {
  try {
    const stat = parseStat(readFileSync(path, 'latin1'));
    return { tid, name: stat.name, cpuUs: statCpuUs(stat), kernelUs: stat.systemTicks * tickUs() };
  } catch {
    return null;
  }
}

/** 0 for a thread that has just ended. */
function threadRunTimeUs(path: string): number {
  try {
    return Number(readFileSync(path, 'latin1').split(' ', 1)[0]) / 1000;
  } catch {
    return 0;
  }
}
