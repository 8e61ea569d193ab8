/** Follows the demo's access log, like `tail -f`. */
import { type FileHandle, open } from 'node:fs/promises';

const lookMs = 100;

export class LogTail {
  readonly #onLine: (line: string) => void;
  readonly #file: FileHandle;
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> = Promise.resolve();
  #rest = '';

  private constructor(file: FileHandle, onLine: (line: string) => void) {
    this.#file = file;
    this.#onLine = onLine;
    this.#timer = setInterval(() => this.look(), lookMs);
  }

  static async follow(path: string, onLine: (line: string) => void): Promise<LogTail> {
    return new LogTail(await open(path, 'a+'), onLine);
  }

  /** `look` reads the lines added since the last call, and resolves when they were passed on. */
  look(): Promise<void> {
    this.#looking = this.#looking.then(async () => {
      const { buffer, bytesRead } = await this.#file.read();
      const lines = (this.#rest + buffer.toString('latin1', 0, bytesRead)).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) this.#onLine(line);
    });
    return this.#looking;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.look();
    await this.#file.close();
  }
}
