/** RequestLoop sends requests that follow one another: one loop at a time, which ends when nothing is wanted. */
export class RequestLoop {
  /** @type {object | null} identifies the loop that runs */
  #running = null;

  get isRunning() {
    return this.#running !== null;
  }

  /**
   * Repeats `step` while `isWanted`. Does nothing while it is already running. A step that rejects ends the loop: the
   * connection is lost, or the server cannot answer, and what asks again is the next join, or another wish.
   *
   * @param {() => boolean} isWanted
   * @param {() => Promise<void>} step
   */
  async run(isWanted, step) {
    if (this.#running) return;
    const loop = (this.#running = {});
    try {
      while (this.#running === loop && isWanted()) await step();
    } catch {
      // As said above.
    } finally {
      if (this.#running === loop) this.#running = null;
    }
  }

  /** Leaves the loop that runs, whose answer is lost: the next `run` starts another. */
  abandon() {
    this.#running = null;
  }
}
