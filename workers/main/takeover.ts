/**
 * Finds the process whose place this one takes, and asks it to finish. What it does then is `Umbra.handOver`.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/** Node keeps SIGUSR1 for its debugger. */
export const HAND_OVER = 'SIGUSR2';

export type TakeoverFrom = { readonly pid: number } | { readonly file: string };

/**
 * The process to take over from: null where a file names none that lives, which is an ordinary start. Throws
 * an Error of one line where a number was given that is no umbra of ours, or where this system can't do it.
 */
export function findPredecessor(from: TakeoverFrom): number | null {
  if (process.platform !== 'linux')
    throw new Error('--takeover needs Linux: elsewhere ports are not shared in turn');
  if ('file' in from) {
    const pid = readPid(from.file);
    return pid !== null && isUmbra(pid) ? pid : null;
  }
  if (isUmbra(from.pid)) return from.pid;
  throw new Error(`--takeover ${from.pid}: there is no umbra with this number that may be asked`);
}

/** The predecessor may have ended by itself in the meantime, which is as good. */
export function askToHandOver(pid: number): void {
  try {
    process.kill(pid, HAND_OVER);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Whoever reads the file finds either number whole. Throws the system's error. */
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
 * Numbers are used again, and the signal ends a process that does not expect it: so the command line is
 * looked at first.
 */
function isUmbra(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('umbra');
  } catch {
    return false;
  }
}
