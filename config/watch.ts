/**
 * Reports when the content of a configuration file has changed. Editors save by renaming a new file over the
 * old one, and mounted configurations swap a symbolic link on the path to the file. A watch on the file
 * itself follows the old inode and misses both. So the directories along the chain of links are watched, and
 * any event in them causes the file to be read and compared.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';

/** Quiet time after the last event, in milliseconds, so that one save is one change. */
const settleMs = 100;
/** Links on the path to a file; the system's own bound (ELOOP) is 40. */
const linksMax = 40;

export interface ConfigWatch {
  /** Resolves when the watch is in place. Later changes are reported. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

/**
 * `watchConfig` calls `onChange` when the content differs from that of the previous call, or of now for the
 * first one. It waits for a file that is missing or unreadable. Start the watch before loading the file, so
 * that no change in between is lost.
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
  // A swapped link may lead elsewhere. `add` is not enough: only a new watcher reports when it is in place,
  // and the comparison that follows finds changes before that.
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

/** `watchEntries` calls `onEvent` for each event of the entries, and once when the watch is in place. */
function watchEntries(entries: ReadonlySet<string>, onEvent: () => void): FSWatcher {
  const directories = new Set([...entries].map((entry) => dirname(entry)));
  const watcher = watch([...directories], {
    depth: 0,
    followSymlinks: false,
    ignoreInitial: true,
    // A directory such as /etc has many unrelated entries. Directories are not ignored, because they may be
    // watched ones.
    ignored: (entry, stats) => stats !== undefined && !stats.isDirectory() && !entries.has(entry),
  });
  watcher.on('all', onEvent);
  // A directory that vanishes or can't be watched does not end the watch; SIGHUP still reloads.
  watcher.on('error', onEvent);
  watcher.once('ready', onEvent);
  return watcher;
}

/**
 * `linkChain` returns every entry whose replacement can change the target of the path: the path itself, each
 * link on the way and its target, each with its directory resolved.
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
