/** This machine's root with a layer of its own above it: what is installed there is gone with the test. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Output, until } from './umbra.js';

/** `$1` is a folder to mount on, `$2` one that is seen as `/mnt`. The mounts end with the process. */
const script = `set -e
mount -t tmpfs tmpfs "$1" && cd "$1" && mkdir upper work root
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" root
mount --bind /proc root/proc && mount --bind /dev root/dev && mount --bind "$2" root/mnt
echo mounted && exec cat`;

export class Overlay {
  /** Words before a command that runs in the new root. */
  readonly inside: readonly string[];
  /** Words before a command that sees `upper`. */
  readonly beside: readonly string[];
  /** What differs from this machine's root; whiteouts are character devices. */
  readonly upper: string;
  readonly #close: () => Promise<void>;

  private constructor(pid: number, directory: string, close: () => Promise<void>) {
    this.beside = ['nsenter', '--mount', `--target=${pid}`];
    this.inside = [...this.beside, 'chroot', join(directory, 'root')];
    this.upper = join(directory, 'upper');
    this.#close = close;
  }

  /** Resolves with why that can't be done here, where it can't. */
  static async mount(mnt: string): Promise<Overlay | string> {
    const directory = mkdtempSync(join(tmpdir(), 'umbra-overlay-'));
    const holder = spawn('unshare', ['--mount', 'sh', '-c', script, 'sh', directory, mnt]);
    const output = new Output(holder);
    let over = false;
    const ended = new Promise<void>((resolve) => {
      const end = (): void => {
        over = true;
        resolve();
      };
      holder.once('close', end).once('error', end);
    });
    await until(() => over || output.out === 'mounted\n', 'the overlay is mounted');
    const close = async (): Promise<void> => {
      holder.stdin.end();
      await ended;
      rmdirSync(directory);
    };
    if (!over) return new Overlay(holder.pid!, directory, close);
    await close();
    return `no overlay can be mounted: ${output.err.trim()}`;
  }

  close(): Promise<void> {
    return this.#close();
  }
}
