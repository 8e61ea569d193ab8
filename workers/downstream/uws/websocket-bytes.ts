import { limits } from '../../../core/limits.js';

/** A WebSocket of which messages are held. */
export interface BytesHolder {
  /** Bytes that are held for either side. */
  readonly heldBytes: number;
  /** Closes its connection at once, and holds nothing when this returns. */
  giveWay(): void;
}

/** Where the bytes are counted. */
export interface BytesCounters {
  webSocketHeldChanged(bytes: number): void;
  webSocketGaveWay(): void;
}

/**
 * The messages that all WebSockets of one listener on one thread hold for sides that do not read. Past
 * `limits.webSocketTotalBytes` the one that holds most is closed, because its side reads least.
 */
export class WebSocketBytes {
  readonly #holders: ReadonlySet<BytesHolder>;
  readonly #counters: BytesCounters;
  #total = 0;
  #makingRoom = false;

  constructor(holders: ReadonlySet<BytesHolder>, counters: BytesCounters) {
    this.#holders = holders;
    this.#counters = counters;
  }

  get total(): number {
    return this.#total;
  }

  /** A holder has so many bytes more, or fewer. It may be closed before this returns. */
  changed(bytes: number): void {
    this.#total += bytes;
    this.#counters.webSocketHeldChanged(bytes);
    // A holder that closes reports what it held, and others may see its end.
    if (this.#makingRoom || bytes <= 0) return;
    this.#makingRoom = true;
    while (this.#total > limits.webSocketTotalBytes) {
      const biggest = this.#biggest();
      if (biggest === null) break;
      this.#counters.webSocketGaveWay();
      biggest.giveWay();
    }
    this.#makingRoom = false;
  }

  #biggest(): BytesHolder | null {
    let biggest: BytesHolder | null = null;
    for (const holder of this.#holders) {
      if (holder.heldBytes > (biggest?.heldBytes ?? 0)) biggest = holder;
    }
    return biggest;
  }
}
