/**
 * What a command prints, with a line of progress on standard error while it runs, where that is a terminal.
 * A message erases the line first, or the two would run into each other.
 */
import type { CommandIo } from '../../config/commands/index.js';

const intervalMs = 200;
const eraseLine = '\r\x1b[K';

/** Standard error. */
export type Terminal = Pick<NodeJS.WriteStream, 'isTTY'> & { write(text: string): unknown };

export class ProgressLine implements CommandIo {
  readonly #io: CommandIo;
  readonly #terminal: Terminal;
  #isDrawn = false;

  constructor(io: CommandIo, terminal: Terminal = process.stderr) {
    this.#io = io;
    this.#terminal = terminal;
  }

  out(line: string): void {
    this.erase();
    this.#io.out(line);
  }

  err(line: string): void {
    this.erase();
    this.#io.err(line);
  }

  /** Shows `text()` again and again; returns what ends it. */
  show(text: () => string): () => void {
    if (!this.#terminal.isTTY) return () => {};
    const timer = setInterval(() => {
      this.#isDrawn = true;
      this.#terminal.write(eraseLine + text());
    }, intervalMs);
    return () => {
      clearInterval(timer);
      this.erase();
    };
  }

  /** Erases the line, for those that print by themselves. */
  erase(): void {
    if (this.#isDrawn) this.#terminal.write(eraseLine);
    this.#isDrawn = false;
  }
}
