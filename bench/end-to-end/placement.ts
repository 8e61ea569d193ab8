/**
 * Which CPUs a process may use. Every proxy gets the same one CPU, so that none is helped by a second one;
 * origins and load generators share the others, so that they do not take the proxy's time. Without taskset,
 * or with one CPU, the kernel decides, and the run says so.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Placement {
  /** CPU list of the proxy under test; null leaves it to the kernel. */
  readonly proxy: string | null;
  /** CPU list of everything else. */
  readonly rest: string | null;
  readonly text: string;
}

const unpinned = (why: string): Placement => ({ proxy: null, rest: null, text: `not pinned: ${why}` });

export function choosePlacement(pin: boolean): Placement {
  if (!pin) return unpinned('asked for with --no-pin');
  if (!isInstalled('taskset')) return unpinned('taskset is not installed');
  const cpus = parseCpuList(
    /^Cpus_allowed_list:\s+(\S+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '',
  );
  if (cpus.length < 2) return unpinned('there is only one CPU');
  const proxy = String(cpus[0]);
  const rest = cpus.slice(1).join(',');
  return {
    proxy,
    rest,
    text: `pinned with taskset: the proxy to CPU ${proxy}, origins and load generator to CPU ${rest}`,
  };
}

/** `0-2,5` as numbers. */
export function parseCpuList(text: string): number[] {
  return text
    .split(',')
    .filter((part) => part !== '')
    .flatMap((part) => {
      const [first, last = first] = part.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    });
}

export function isInstalled(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' }).status === 0;
}
