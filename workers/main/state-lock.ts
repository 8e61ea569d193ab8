/**
 * Ensures that one process owns a state directory. The lock is a file that names its owner, so that a second
 * process can report the owner, and a killed process does not keep the lock
 * (docs/decisions/076-one-owner-of-the-state.md).
 */
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const fileName = 'owner';
/** Time between two attempts while another process owns the directory. */
const retryMs = 20;

export class StateLock {
  readonly directory: string;
  #held = true;

  private constructor(directory: string) {
    this.directory = directory;
  }

  /**
   * `acquire` waits at most `withinMs` for an owner to release `directory`, which it creates if missing. It
   * rejects with an Error of one line that names the owner, or with the error of the file system.
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

/** `tryLock` returns null if this process now owns `directory`, else its owner. */
function tryLock(directory: string): string | null {
  const file = join(directory, fileName);
  const own = `${file}.${process.pid}`;
  writeFileSync(own, identityOf(process.pid)!, { mode: 0o600 });
  try {
    for (;;) {
      // A link is created atomically, so nobody reads an incomplete owner.
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
 * `removeStale` runs in only one process at a time, so that none removes a lock that another has acquired
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

/** `readOwner` returns null when the file is gone. */
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
  // This process has no lock here: an earlier process had the same pid.
  if (pid === process.pid) return false;
  return identityOf(pid) === owner;
}

function pidOf(owner: string): number {
  return Number.parseInt(owner, 10);
}

/**
 * `identityOf` returns the pid of a process and, where /proc shows it, its start time, because pids are
 * reused. It returns null when the process is gone.
 */
function identityOf(pid: number): string | null {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: the process belongs to another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return null;
  }
  return `${pid} ${startTimeOf(pid)}\n`;
}

/** `startTimeOf` reads field 22 of proc(5); the name before it may contain blanks and parentheses. */
function startTimeOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]!;
  } catch {
    return '-';
  }
}
