/** What is not in the stream because it is large and changes slowly: asked for while the page is open. */
import { send } from './api.js';

const everyMs = 5000;

export class Poll {
  #paths;
  #timer = 0;
  /** Counts the starts, so that a round which was under way before the last one does not continue. */
  #starts = 0;

  /**
   * `paths` maps a path of the API to what takes its answers: `update(answer)`, and `wanted()` where it is
   * not always asked for.
   */
  constructor(paths) {
    this.#paths = Object.entries(paths);
  }

  start() {
    this.stop();
    const start = this.#starts;
    const ask = async () => {
      await Promise.all(this.#paths.map(([path, view]) => this.#ask(path, view)));
      if (start !== this.#starts) return;
      this.#timer = setTimeout(ask, everyMs);
    };
    this.#timer = setTimeout(ask, 0);
  }

  stop() {
    this.#starts++;
    clearTimeout(this.#timer);
  }

  async #ask(path, view) {
    if (view.wanted?.() === false) return;
    try {
      view.update(await send('GET', path));
    } catch {
      // What was shown stays: the banner says that there is no connection.
    }
  }
}
