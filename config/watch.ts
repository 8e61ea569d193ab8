/**
 * Reports when the content of a configuration file has changed. Editors save by renaming a new file over the
 * old one, and configuration mounts swap a symbolic link somewhere on the way to the file; a watch on the
 * file
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
 * Calls `onChange` after the content differs from what it was at the last call, at first from now. A file
 * that is
 * missing or can't be read is waited for. Watch before the file is loaded, and no change in between is lost.
 */
export function watchConfig(file: string, onChange: () => void): ConfigWatch {
  const path = resolve(file);
  let seen = digest(path);
  let timer: NodeJS.Timeout | null = null;
  let closed = false;

  const onEvent = () => {
    if (closed) return;
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(compare, settleMs);
  };
  let chain = linkChain(path);
  let watcher = watchEntries(chain, onEvent);
  const ready = new Promise<void>((resolveReady) => watcher.once('ready', resolveReady));

  const compare = () => {
    timer = null;
    followLinks();
    const now = digest(path);
    if (now === null || now === seen) return;
    seen = now;
    onChange();
  };
  // A swapped link can lead another way. A new watcher and not `add`: only a watcher reports when it is in
  // place, and
  // what changes before that is found by the comparison that follows.
  const followLinks = () => {
    const now = linkChain(path);
    if (now.size === chain.size && [...now].every((entry) => chain.has(entry))) return;
    chain = now;
    void watcher.close();
    watcher = watchEntries(chain, onEvent);
  };
  return {
    ready,
    async close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      await watcher.close();
    },
  };
}

/** Calls `onEvent` when something happened to one of the entries, and once when the watch is in place. */
function watchEntries(entries: ReadonlySet<string>, onEvent: () => void): FSWatcher {
  const directories = new Set([...entries].map((entry) => dirname(entry)));
  const watcher = watch([...directories], {
    depth: 0,
    followSymlinks: false,
    ignoreInitial: true,
    // A directory such as /etc has many entries that are not ours. Directories are let in: they may be
    // watched ones.
    ignored: (entry, stats) => stats !== undefined && !stats.isDirectory() && !entries.has(entry),
  });
  watcher.on('all', onEvent);
  // A directory that vanishes or can't be watched is no reason to stop; SIGHUP still reloads.
  watcher.on('error', onEvent);
  watcher.once('ready', onEvent);
  return watcher;
}

/**
 * Every entry whose replacement can change what the path leads to: the path itself, each link on the way and
 * what
 * it points to; each with its directory resolved.
 */
function linkChain(path: string): Set<string> {
  const chain = new Set<string>();
  const walked = new Set<string>();
  const pending = [{ entry: path, isTarget: true }];
  for (let next = pending.pop(); next !== undefined && chain.size < linksMax; next = pending.pop()) {
    const { entry, isTarget } = next;
    if (walked.has(entry)) continue;
    walked.add(entry);
    const parent = dirname(entry);
    const here = join(realpath(parent), basename(entry));
    const target = linkTarget(here);
    if (isTarget || target !== null) chain.add(here);
    if (target !== null) pending.push({ entry: resolve(dirname(here), target), isTarget: true });
    if (parent !== entry) pending.push({ entry: parent, isTarget: false });
  }
  return chain;
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
