import { Bit, type Stream } from './stream.js';

/** A ring of streams that have something to send. Each sends one frame and moves behind the others. */
export class Turns {
  first: Stream | null = null;

  /** Adds a stream at the end; does nothing if it is in the ring. */
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

  /** Removes a stream; does nothing if it is not in the ring. */
  remove(stream: Stream): void {
    if (!stream.has(Bit.IN_TURNS)) return;
    stream.clear(Bit.IN_TURNS);
    stream.previous.next = stream.next;
    stream.next.previous = stream.previous;
    if (this.first === stream) this.first = stream.next === stream ? null : stream.next;
    stream.next = stream;
    stream.previous = stream;
  }

  /** Moves the first stream to the end. */
  rotate(): void {
    if (this.first !== null) this.first = this.first.next;
  }
}
