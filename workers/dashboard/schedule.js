/**
 * Draws in pieces, so that no frame waits for a large page: jobs run in order while a frame has time left,
 * and the rest of them runs in the frames after it.
 */

/** Work in one frame. The browser needs the rest of its 16 ms for style, layout and paint. */
const budgetMs = 3;

/** A frame that has worked for less than this is as good as new. */
const freshMs = 0.5;
const alone = new WeakSet();

/** Marks a job that leaves the browser much to lay out and paint: it begins in a frame of its own. */
export function inOwnFrame(job) {
  alone.add(job);
  return job;
}

export class Schedule {
  #jobs = [];
  /** Jobs of the newest snapshot, while those of the one before are under way. */
  #next = null;
  #isAsked = false;

  /**
   * `jobs` are functions; one that returns a generator is run piece by piece. They begin when those under
   * way are done, so that a page that is slow still draws its last panel.
   */
  replace(jobs) {
    if (this.#jobs.length > 0) this.#next = jobs;
    else this.#jobs = jobs;
    this.#ask();
  }

  /** More jobs behind those under way. */
  add(jobs) {
    this.#jobs.push(...jobs);
    this.#ask();
  }

  #ask() {
    if (this.#isAsked) return;
    this.#isAsked = true;
    requestAnimationFrame(() => {
      this.#isAsked = false;
      this.#run();
    });
  }

  #run() {
    const beginMs = performance.now();
    while (this.#jobs.length > 0 && performance.now() - beginMs < budgetMs) {
      const [job] = this.#jobs;
      if (alone.has(job) && performance.now() - beginMs > freshMs) break;
      this.#jobs.shift();
      const pieces = typeof job === 'function' ? job() : job;
      if (typeof pieces?.next === 'function' && pieces.next().done !== true) this.#jobs.unshift(pieces);
    }
    measured('umbra:draw', beginMs);
    if (this.#jobs.length === 0 && this.#next !== null) {
      this.#jobs = this.#next;
      this.#next = null;
    }
    if (this.#jobs.length > 0) this.#ask();
  }
}

/** `measured` is for observers of the page's speed (`npm run bench -- page`); nothing is kept. */
export function measured(name, beginMs) {
  performance.measure(name, { start: beginMs });
  performance.clearMeasures(name);
}
