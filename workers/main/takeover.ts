/** Finds the process that this one replaces, and asks it to finish, which runs its `Umbra.handOver`. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { commandLine } from './other-process.js';

/** Node uses SIGUSR1 for its debugger. */
export const HAND_OVER = 'SIGUSR2';

export type TakeoverFrom = { readonly pid: number } | { readonly file: string };

/** `findRunning` returns the process that `from` names, or null where no umbra of this user is that. */
export function findRunning(from: TakeoverFrom): number | null {
  const pid = 'file' in from ? readPid(from.file) : from.pid;
  return pid !== null && isUmbra(pid) ? pid : null;
}

/**
 * `findPredecessor` returns the process to take over from. It returns null when a file names no living
 * process, which is an ordinary start. It throws an Error of one line when a pid is not an umbra of this
 * user, or this system does not support it.
 */
export function findPredecessor(from: TakeoverFrom): number | null {
  if (process.platform !== 'linux')
    throw new Error('--takeover needs Linux: other systems do not share a port between processes in turn');
  const pid = findRunning(from);
  if (pid !== null || 'file' in from) return pid;
  throw new Error(`--takeover ${from.pid}: no umbra of this user has this pid`);
}

/** `askToHandOver` ignores a predecessor that has ended meanwhile. */
export function askToHandOver(pid: number): void {
  try {
    process.kill(pid, HAND_OVER);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** `writePid` replaces the file atomically. It throws the system's error. */
export function writePid(file: string): void {
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, `${process.pid}\n`);
  renameSync(temporary, file);
}

function readPid(file: string): number | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new Error(`--takeover ${file}: can't be read: ${(error as Error).message}`);
  }
  return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : null;
}

/**
 * `isUmbra` checks the command line first: pids are reused, and the signal ends a process that does not
 * expect it.
 */
function isUmbra(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return commandLine(pid).some((word) => word.includes('umbra'));
  } catch {
    return false;
  }
}
