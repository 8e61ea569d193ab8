/**
 * Reports when the content of a configuration file has changed. Editors save by renaming a new file over the
 * old one, and mounted configurations swap a symbolic link on the path to the file. A watch on the file
 * itself follows the old inode and misses both. So the directories along the chain of links are watched, and
 * any event in them causes the file to be read and compared.
 */
import { createHash } from 'node:crypto';
import { type FSWatcher, readFileSync, readlinkSync, realpathSync, statSync, watch } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

/** Quiet time after the last event, in milliseconds, so that one save is one change. */
const settleMs = 100;
/** Interval at which the file is read while a directory is missing or can't be watched, in milliseconds. */
const retryMs = 1000;
/** Links on the path to a file; the system's own bound (ELOOP) is 40. */
const linksMax = 40;

export interface ConfigWatch {
  close(): void;
}

/**
 * `watchConfig` calls `onChange` when the content differs from that of the previous call, or of now for the
 * first one. It waits for a file that is missing or unreadable. Start the watch before loading the file, so
 * that no change in between is lost.
 */
export function watchConfig(file: string, onChange: () => void): ConfigWatch {
  return new Watch(resolve(file), onChange);
}

class Watch implements ConfigWatch {
  readonly #path: string;
  readonly #onChange: () => void;
  /** Content of the file at the last change. */
  #seen: string | null;
  #watched: Watched | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(path: string, onChange: () => void) {
    this.#path = path;
    this.#onChange = onChange;
    this.#seen = digest(path);
    this.#follow();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#watched?.close();
    this.#watched = null;
  }

  #compareIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#compare(), ms);
  }

  #compare(): void {
    if (!this.#follow() && !this.#watched!.whole) this.#compareIn(retryMs);
    const now = digest(this.#path);
    if (now !== null && now !== this.#seen) {
      this.#seen = now;
      this.#onChange();
    }
  }

  /**
   * `#follow` begins a new watch if a link was swapped or a directory was replaced, and returns whether it
   * did. The comparison that comes then finds what changed before the watch was in place.
   */
  #follow(): boolean {
    const entries = linkChain(this.#path);
    const directories = new Set([...entries].map((entry) => dirname(entry)));
    const place = [...entries, ...Array.from(directories, inode)].join('\n');
    if (this.#watched?.place === place && !this.#watched.lost) return false;
    this.#watched?.close();
    this.#watched = new Watched(place, entries, directories, () => this.#compareIn(settleMs));
    this.#compareIn(settleMs);
    return true;
  }
}

/** The watches on the directories along one chain of links. */
class Watched {
  /** The entries, and which directories they are in. */
  readonly place: string;
  /** False if a directory can't be watched. */
  whole = true;
  /** A watched directory was removed. One that takes its place may have its inode. */
  lost = false;
  readonly #watchers: FSWatcher[] = [];

  constructor(
    place: string,
    entries: ReadonlySet<string>,
    directories: ReadonlySet<string>,
    onEvent: () => void,
  ) {
    this.place = place;
    for (const directory of directories) {
      try {
        const watcher = watch(directory, (_event, name) => {
          // The name of the directory itself is reported when it is removed.
          if (name === basename(directory)) this.lost = true;
          // A directory such as /etc has many unrelated entries.
          if (this.lost || name === null || entries.has(join(directory, name))) onEvent();
        });
        // A directory that vanishes does not end the watch.
        watcher.on('error', onEvent);
        this.#watchers.push(watcher);
      } catch {
        // It is missing, or the system allows no more watches (ENOSPC); SIGHUP still reloads.
        this.whole = false;
      }
    }
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close();
  }
}

function inode(directory: string): string {
  try {
    return String(statSync(directory).ino);
  } catch {
    return 'missing';
  }
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
