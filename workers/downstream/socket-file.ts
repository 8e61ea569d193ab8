import { chmodSync, lstatSync, renameSync, rmSync } from 'node:fs';

/**
 * The file of a unix socket. A listener binds to `bindPath`, and then the file is put in its place: so it
 * never stands there with other permissions than it should have, another process's live socket is replaced in
 * one step, and what systems remove when a socket closes is not the file of whoever came after.
 */
export class SocketFile {
  readonly path: string;
  readonly bindPath: string;
  readonly #mode: number | null;
  #inode = 0n;

  /** `mode`: permission bits, or null for what the umask leaves. */
  constructor(path: string, mode: number | null) {
    this.path = path;
    this.bindPath = bindPathOf(path);
    this.#mode = mode;
  }

  /** A listener is bound to `bindPath`. Throws the system's error. */
  place(): void {
    if (this.#mode !== null) chmodSync(this.bindPath, this.#mode);
    renameSync(this.bindPath, this.path);
    this.#inode = lstatSync(this.path, { bigint: true }).ino;
  }

  /** Takes the file away, unless it is another socket's by now. */
  remove(): void {
    const found = lstatSync(this.path, { bigint: true, throwIfNoEntry: false });
    if (found !== undefined && found.ino === this.#inode) rmSync(this.path, { force: true });
  }
}

/** Short, because the whole path of a socket has little room. */
function bindPathOf(path: string): string {
  return `${path}.${process.pid.toString(36)}`;
}
