/**
 * One process owns a state directory. The lock is a file that names its owner, so that a second process says
 * whose the directory is, and one that was killed does not keep it for ever
 * (docs/decisions/076-one-owner-of-the-state.md).
 */
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const fileName = 'owner';
/** Between two attempts while another process owns the directory. */
const retryMs = 20;

export class StateLock {
  readonly directory: string;
  #held = true;

  private constructor(directory: string) {
    this.directory = directory;
  }

  /**
   * Waits at most `withinMs` for an owner to release `directory`, which is made if it is not there. Rejects
   * with an Error of one line that names the owner, or with the error of the file system.
   */
  static async acquire(directory: string, withinMs: number): Promise<StateLock> {
    const endMs = performance.now() + withinMs;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    for (;;) {
      const owner = tryLock(directory);
      if (owner === null) return new StateLock(directory);
      if (performance.now() >= endMs)
        throw new Error(
          `the state directory ${directory} is in use by process ${pidOf(owner)}; give this umbra one of its own, or start it with --takeover`,
        );
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }

  release(): void {
    if (!this.#held) return;
    this.#held = false;
    rmSync(join(this.directory, fileName), { force: true });
  }
}

/** Null if this process owns `directory` now, else its owner. */
function tryLock(directory: string): string | null {
  const file = join(directory, fileName);
  const own = `${file}.${process.pid}`;
  writeFileSync(own, identityOf(process.pid)!, { mode: 0o600 });
  try {
    for (;;) {
      // A link is made whole or not at all, and nobody reads half an owner.
      if (tryLink(own, file)) return null;
      const owner = readOwner(file);
      if (owner === null) continue;
      if (isAlive(owner)) return owner;
      removeStale(file, owner, own);
    }
  } finally {
    rmSync(own, { force: true });
  }
}

/**
 * Only one process at a time removes a stale owner, so that none removes the lock that another has taken
 * meanwhile.
 */
function removeStale(file: string, owner: string, own: string): void {
  const mutex = `${file}.stale`;
  if (!tryLink(own, mutex)) {
    const remover = readOwner(mutex);
    if (remover !== null && !isAlive(remover)) rmSync(mutex, { force: true });
    return;
  }
  try {
    if (readOwner(file) === owner) rmSync(file, { force: true });
  } finally {
    rmSync(mutex, { force: true });
  }
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Null where the file is gone. */
function readOwner(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function isAlive(owner: string): boolean {
  const pid = pidOf(owner);
  // This process has no lock here: a process before it had the same number.
  if (pid === process.pid) return false;
  return identityOf(pid) === owner;
}

function pidOf(owner: string): number {
  return Number.parseInt(owner, 10);
}

/**
 * The number of a process, and where /proc shows it the time of its start: numbers are used again. Null: it
 * is gone.
 */
function identityOf(pid: number): string | null {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is another user's.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return null;
  }
  return `${pid} ${startTimeOf(pid)}\n`;
}

/** Field 22 of proc(5); the name before it may have blanks and parentheses. */
function startTimeOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]!;
  } catch {
    return '-';
  }
}
