/** A task that runs once at a time: `start` during a run returns the promise of that run. */
export class SoleRun {
  readonly #task: () => Promise<void>;
  #running: Promise<void> | null = null;

  constructor(task: () => Promise<void>) {
    this.#task = task;
  }

  /** The run that is under way; null: there is none. */
  get running(): Promise<void> | null {
    return this.#running;
  }

  start(): Promise<void> {
    this.#running ??= this.#task().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }
}
