/**
 * Tells when the content of a configuration file has changed. Editors save by renaming a new file over the
 * old one, and configuration mounts swap a symbolic link somewhere on the way to the file; a watch on the file
 * itself follows the old inode and misses both. So the directories along the chain of links are watched, and
 * any event in them only means: read again and compare.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';

/** Quiet time after the last event, so that one save is one change. */
const settleMs = 100;
/** Links on the way to a file; the system's own bound (ELOOP) is 40. */
const linksMax = 40;

export interface ConfigWatch {
  /** Resolves when the watch is in place; what changes later is seen. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

/**
 * Calls `onChange` after the content differs from what it was at the last call, at first from now. A file that is
 * missing or can't be read is waited for. Call it before the file is loaded, and no change in between is lost.
 */
export function watchConfig(file: string, onChange: () => void): ConfigWatch {
  const path = resolve(file);
  let seen = digest(path);
  let timer: NodeJS.Timeout | null = null;
  let closed = false;
  let chain = linkChain(path);

  const compare = () => {
    timer = null;
    if (closed) return;
    followLinks();
    const now = digest(path);
    if (now === null || now === seen) return;
    seen = now;
    onChange();
  };
  const onEvent = () => {
    if (closed) return;
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(compare, settleMs);
  };
  const watcher = watchDirectories(chain, (entry) => chain.has(entry), onEvent);
  // A swapped link can lead through directories that were not on the way before.
  const followLinks = () => {
    const before = chain;
    chain = linkChain(path);
    watcher.add([...directoriesOf(chain)].filter((directory) => !directoriesOf(before).has(directory)));
  };
  const ready = new Promise<void>((resolveReady) => {
    watcher.once('ready', () => {
      // What changed while the watch was being set up has no event.
      onEvent();
      resolveReady();
    });
  });
  return {
    ready,
    async close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      await watcher.close();
    },
  };
}

function watchDirectories(
  chain: ReadonlySet<string>,
  isOnTheWay: (entry: string) => boolean,
  onEvent: () => void,
): FSWatcher {
  const roots = directoriesOf(chain);
  const watcher = watch([...roots], {
    depth: 0,
    followSymlinks: false,
    ignoreInitial: true,
    // A directory such as /etc has many entries that are not ours. Directories are let in: they may be the watched ones.
    ignored: (entry, stats) => stats !== undefined && !stats.isDirectory() && !isOnTheWay(entry),
  });
  watcher.on('all', onEvent);
  // A directory that vanishes or can't be watched is no reason to stop; SIGHUP still reloads.
  watcher.on('error', onEvent);
  return watcher;
}

/** The path and, for every link on the way to the file, the link's own path, each with its directory resolved. */
function linkChain(path: string): Set<string> {
  const chain = new Set<string>();
  const pending = [path];
  for (let next = pending.pop(); next !== undefined && chain.size < linksMax; next = pending.pop()) {
    const parent = dirname(next);
    const here = join(realpath(parent), basename(next));
    if (chain.has(here)) continue;
    const target = linkTarget(here);
    if (next === path || target !== null) chain.add(here);
    if (target !== null) {
      const resolved = resolve(dirname(here), target);
      chain.add(join(realpath(dirname(resolved)), basename(resolved)));
      pending.push(resolved);
    }
    if (parent !== next) pending.push(parent);
  }
  return chain;
}

function directoriesOf(chain: ReadonlySet<string>): Set<string> {
  return new Set([...chain].map((entry) => dirname(entry)));
}

function linkTarget(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

function realpath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function digest(path: string): string | null {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('hex');
  } catch {
    return null;
  }
}
