/** So long the newest message is to be in sight before it counts as read. */
const SEEN_MS = 1000;
/** So much of it, or so much of the screen if it is higher. */
const SEEN_PART = 0.5;

/** EndWatch tells up to where a person has seen a conversation, while they look at its end. */
export class EndWatch {
  /** @type {ReturnType<typeof setTimeout> | undefined} runs while something is in sight */
  #timer;
  /** The newest place. */
  #last = 0;
  #scroller;
  #seen;

  /**
   * @param {() => HTMLElement | null} scroller
   * @param {(seq: number) => void} seen is called with a place up to which everything was in sight
   */
  constructor(scroller, seen) {
    this.#scroller = scroller;
    this.#seen = seen;
  }

  /** Watches the messages up to a place; 0 while nobody looks. @param {number} seq */
  watch(seq) {
    this.#last = seq;
    if (!seq) this.stop();
    else this.#timer ??= setTimeout(() => this.#check(seq), SEEN_MS);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /**
   * Looks whether what has come a second ago is in sight. What has come since has another second, so that a busy room is
   * read, too; what is out of sight by a few lines is looked for again.
   *
   * @param {number} seq
   */
  #check(seq) {
    this.#timer = undefined;
    const isInSight = this.#isInSight();
    if (isInSight) this.#seen(seq);
    if (!isInSight || seq < this.#last) this.watch(this.#last);
  }

  #isInSight() {
    const scroller = this.#scroller();
    const newest = [...(scroller?.querySelectorAll(".log .message") ?? [])].at(-1);
    if (!scroller || !newest) return scroller !== null;
    const [view, box] = [scroller.getBoundingClientRect(), newest.getBoundingClientRect()];
    const height = Math.min(view.bottom, box.bottom) - Math.max(view.top, box.top);
    return height >= SEEN_PART * Math.min(view.height, box.height);
  }
}
