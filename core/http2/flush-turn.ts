/** An object that has bytes to write at the end of a turn of the loop. */
export interface Flushed {
  flush(): void;
}

/**
 * The connections of one thread that owe a flush. What all sockets of a turn have brought is written when all
 * of them were read: frames for one client that come of several versions leave in one write.
 */
export class FlushTurn {
  #owing: Flushed[] = [];
  #spare: Flushed[] = [];
  readonly #end = () => {
    const owing = this.#owing;
    this.#owing = this.#spare;
    for (const connection of owing) connection.flush();
    owing.length = 0;
    this.#spare = owing;
  };

  /** `connection` is flushed once, after the poll of this turn. */
  owe(connection: Flushed): void {
    if (this.#owing.push(connection) === 1) setImmediate(this.#end);
  }
}
