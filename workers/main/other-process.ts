/** What `/proc` says of another process (proc(5)). Linux, and only for processes of the same user. */
import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { wallClockMs } from '../../core/clock.js';

/** USER_HZ of Linux on x64 and arm64. */
const ticksPerS = 100;
/** Field 22 of `stat`, counted after the name of the program, which is the second one. */
const startField = 22 - 3;
/** `/proc` rounds the start of a process to a hundredth of a second. */
const roundingMs = 1000;

/** `commandLine` returns the words with which the process was started. It throws the system's error. */
export function commandLine(pid: number): readonly string[] {
  return strings(`/proc/${pid}/cmdline`);
}

/** `environment` returns the variables with which the process was started. It throws the system's error. */
export function environment(pid: number): NodeJS.ProcessEnv {
  const pairs = strings(`/proc/${pid}/environ`).map((line) => {
    const at = line.indexOf('=');
    return [line.slice(0, at), line.slice(at + 1)] as const;
  });
  return Object.fromEntries(pairs.filter(([name]) => name !== ''));
}

/**
 * `workingDirectory` returns its path, or a link to it where the path leads elsewhere from here, as from
 * another root. Who enters by the link is in the mounts of that process, which end with it.
 */
export function workingDirectory(pid: number): string {
  const link = `/proc/${pid}/cwd`;
  const path = readlinkSync(link);
  const [there, here] = [statSync(link), statSync(path, { throwIfNoEntry: false })];
  return there.ino === here?.ino && there.dev === here.dev ? path : link;
}

/**
 * `isReplaced` returns whether the program's files are not those with which the process began: its executable
 * is gone from the disk, or `script` is missing or was written later.
 */
export function isReplaced(pid: number, script: string): boolean {
  if (readlinkSync(`/proc/${pid}/exe`).endsWith(' (deleted)')) return true;
  const written = statSync(script, { throwIfNoEntry: false });
  return written === undefined || written.ctimeMs > startedMs(pid) + roundingMs;
}

/** When the process was started, in milliseconds of the wall clock as it is now. */
function startedMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const startS = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[startField]) / ticksPerS;
  const uptimeS = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
  return wallClockMs() - (uptimeS - startS) * 1000;
}

function strings(path: string): readonly string[] {
  return readFileSync(path, 'utf8').split('\0').slice(0, -1);
}
