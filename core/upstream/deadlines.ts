import type { Clock } from '../clock.js';

/** A deadline is late by at most this time, and never early. */
const TICK_MS = 32;
/** A power of two. One turn of the wheel is 16 s; a later deadline is checked once per turn. */
const SLOTS = 512;

/**
 * One thing that may take too long. It belongs to one owner, is set and cleared many times, and allocates
 * nothing.
 */
export class Deadline {
  /** The tick at which the deadline is due. */
  tick = 0;
  next: Deadline | null = null;
  /** Null while the deadline is not set. */
  previous: Deadline | null = null;
  readonly onDue: () => void;

  constructor(onDue: () => void) {
    this.onDue = onDue;
  }
}

/**
 * All deadlines of one thread on one coarse timer. It is a wheel of lists: setting and clearing cost a few
 * pointer writes, whereas a timer per request would cost a microsecond. The timer runs only while a deadline
 * is set and does not keep the thread alive.
 *
 * A thread that was stalled (a busy machine, a stopped process) finds its timers due before it has read its
 * sockets, though the awaited bytes may have arrived long ago. So due deadlines are called only after the
 * loop has polled once more: nothing times out while the answer is in the kernel.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #slots: Deadline[] = [];
  readonly #due: Deadline = new Deadline(nothing);
  #count = 0;
  /** The last tick whose deadlines were called. */
  #tick = 0;
  #timer: NodeJS.Timeout | null = null;
  /** When the loop was seen last: before the poll, or behind it. */
  #calledUs = 0;
  #polledAgain = false;
  /**
   * How long the thread stood still while a deadline was set, in milliseconds, as far as its timer came more
   * than a tick late. It only grows.
   */
  stalledMs = 0;
  readonly #advanceAfterPoll = () => {
    this.#noteTime(TICK_MS);
    setImmediate(this.#advance);
  };
  readonly #advance = () => {
    // The thread was stalled within the poll. What has arrived meanwhile is in the kernel, and one more poll
    // reads it.
    this.#polledAgain = !this.#polledAgain && this.#noteTime(0) > TICK_MS;
    if (this.#polledAgain) setImmediate(this.#advance);
    else this.advance();
  };

  constructor(clock: Clock) {
    this.#clock = clock;
    for (let slot = 0; slot < SLOTS; slot++) this.#slots.push(new Deadline(nothing));
  }

  /** The number of deadlines that are set. */
  get count(): number {
    return this.#count;
  }

  /**
   * `set` makes `deadline.onDue` be called once, `timeoutMs` after `nowUs` (a reading of the thread's clock).
   * It replaces an earlier setting.
   */
  set(deadline: Deadline, timeoutMs: number, nowUs: number): void {
    if (deadline.previous !== null) this.clear(deadline);
    if (this.#timer === null) this.#start(nowUs);
    // A deadline in the past or in this tick is due at the next tick, because this tick's slot may be done.
    deadline.tick = Math.max(Math.ceil((nowUs / 1e3 + timeoutMs) / TICK_MS), this.#tick + 1);
    append(this.#slots[deadline.tick & (SLOTS - 1)]!, deadline);
    this.#count++;
  }

  clear(deadline: Deadline): void {
    if (deadline.previous === null) return;
    remove(deadline);
    this.#count--;
  }

  /** `advance` calls due deadlines. The timer calls it, and so may tests with their own clock. */
  advance(): void {
    const nowTick = tickOf(this.#clock());
    // After a stall longer than one turn, every slot is checked once.
    const first = Math.max(this.#tick + 1, nowTick - SLOTS + 1);
    this.#tick = Math.max(this.#tick, nowTick);
    for (let tick = first; tick <= nowTick; tick++) this.#collect(this.#slots[tick & (SLOTS - 1)]!, nowTick);
    // Due deadlines are moved to their own list first, because `onDue` may set and clear others and itself.
    for (let deadline = this.#due.next; deadline !== null; deadline = this.#due.next) {
      this.clear(deadline);
      deadline.onDue();
    }
    if (this.#count === 0) this.#stop();
  }

  #collect(slot: Deadline, nowTick: number): void {
    let deadline = slot.next;
    while (deadline !== null) {
      const { next } = deadline;
      if (deadline.tick <= nowTick) {
        remove(deadline);
        append(this.#due, deadline);
      }
      deadline = next;
    }
  }

  /** Returns by how many milliseconds more than `wantedMs` the loop took since the last call. */
  #noteTime(wantedMs: number): number {
    const nowUs = this.#clock();
    const lateMs = (nowUs - this.#calledUs) / 1e3 - wantedMs;
    this.#calledUs = nowUs;
    if (lateMs > TICK_MS) this.stalledMs += lateMs;
    return lateMs;
  }

  #start(nowUs: number): void {
    this.#tick = tickOf(nowUs);
    this.#calledUs = nowUs;
    this.#timer = setInterval(this.#advanceAfterPoll, TICK_MS);
    this.#timer.unref();
  }

  #stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}

function tickOf(us: number): number {
  return Math.floor(us / 1e3 / TICK_MS);
}

/** `append` inserts `deadline` right after the head of a list; the order within a tick does not matter. */
function append(head: Deadline, deadline: Deadline): void {
  deadline.next = head.next;
  deadline.previous = head;
  if (head.next !== null) head.next.previous = deadline;
  head.next = deadline;
}

function remove(deadline: Deadline): void {
  deadline.previous!.next = deadline.next;
  if (deadline.next !== null) deadline.next.previous = deadline.previous;
  deadline.next = null;
  deadline.previous = null;
}

function nothing(): void {}
