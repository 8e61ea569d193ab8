import { Bit, type Stream } from './stream.js';

/** Streams that have something to send, in a ring: each sends one frame, and goes behind the others. */
export class Turns {
  first: Stream | null = null;

  /** Adds a stream behind the others; nothing happens if it is there already. */
  add(stream: Stream): void {
    if (stream.has(Bit.IN_TURNS)) return;
    stream.set(Bit.IN_TURNS);
    if (this.first === null) {
      this.first = stream;
      stream.next = stream;
      stream.previous = stream;
      return;
    }
    const last = this.first.previous;
    last.next = stream;
    stream.previous = last;
    stream.next = this.first;
    this.first.previous = stream;
  }

  /** Nothing happens if it is not there. */
  remove(stream: Stream): void {
    if (!stream.has(Bit.IN_TURNS)) return;
    stream.clear(Bit.IN_TURNS);
    stream.previous.next = stream.next;
    stream.next.previous = stream.previous;
    if (this.first === stream) this.first = stream.next === stream ? null : stream.next;
    stream.next = stream;
    stream.previous = stream;
  }

  /** The first one goes behind the others. */
  rotate(): void {
    if (this.first !== null) this.first = this.first.next;
  }
}
