/**
 * Turns of a thread in which it passes on WebSocket messages. To assemble one of 15 MiB and to hand it to uWS
 * takes most of 20 ms, and messages of clients that connected together become whole together. So a turn in
 * which that many bytes were passed on lets the others wait, and other sockets are served between.
 */
import { limits } from '../../../core/limits.js';

export class MessageTurns {
  readonly #waiting: (() => void)[] = [];
  readonly #nextTurn = () => this.#onTurn();
  #passedBytes = 0;
  #isNextAsked = false;

  /** True if no more may be passed on in this turn. */
  get isOver(): boolean {
    return this.#passedBytes >= limits.webSocketTurnBytes || this.#waiting.length > 0;
  }

  /** `passed` counts a message that was passed on. */
  passed(bytes: number): void {
    this.#passedBytes += bytes;
    this.#askForTurn();
  }

  /** `later` calls `run` in a later turn, in the order of the calls. */
  later(run: () => void): void {
    this.#waiting.push(run);
    this.#askForTurn();
  }

  #onTurn(): void {
    this.#isNextAsked = false;
    this.#passedBytes = 0;
    while (this.#waiting.length > 0 && this.#passedBytes < limits.webSocketTurnBytes)
      this.#waiting.shift()!();
    if (this.#waiting.length > 0) this.#askForTurn();
  }

  #askForTurn(): void {
    if (this.#isNextAsked) return;
    this.#isNextAsked = true;
    setImmediate(this.#nextTurn);
  }
}
