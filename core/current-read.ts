/** An object that holds pieces of the current read by reference. */
export interface Borrower {
  /** `settle` writes or copies what is held by reference, because the read is over. */
  settle(): void;
}

/**
 * The read that this thread delivers at the moment. Its bytes lie in a buffer that the next read overwrites.
 *
 * Meanwhile a socket's queue may hold pieces of it by reference, so that all frames of a read that go to one
 * socket leave in one system call without a copy. When the read is over, each queue settles: it writes what
 * the kernel takes, and copies the rest. Between reads nobody may borrow.
 */
class CurrentRead {
  #depth = 0;
  readonly #borrowers: Borrower[] = [];

  /** Bytes that are delivered now stay as they are until `end`. */
  get isOpen(): boolean {
    return this.#depth > 0;
  }

  /** `begin` is called before the bytes of a read are delivered; `end` must follow. */
  begin(): void {
    this.#depth++;
  }

  /** `end` settles everything, also what an enclosing read has lent. */
  end(): void {
    this.#depth--;
    const borrowers = this.#borrowers;
    if (borrowers.length === 0) return;
    // Settling may end a call, whose owner may start another one.
    for (let i = 0; i < borrowers.length; i++) borrowers[i]!.settle();
    borrowers.length = 0;
  }

  /** `owe` makes `borrower` settle when the read is over. */
  owe(borrower: Borrower): void {
    this.#borrowers.push(borrower);
  }
}

/** A thread reads one socket at a time. */
export const currentRead = new CurrentRead();
