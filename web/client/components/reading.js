import { signal } from "@preact/signals";

/** @typedef {{element: Element, top: number} | null} Place what the reader looks at and where it stands; null is the bottom */

/** Closer than this counts as the bottom. */
const NEAR_PX = 60;
/** Older messages are asked for when so little is left above. */
const AHEAD_PX = 1200;

/**
 * Where in the conversation the reader is. The view stays at the bottom if it was there, and otherwise on what is being
 * read, whatever is added above or below or changes its height.
 */
export class Reading {
  atBottom = signal(true);
  /** More than two screens above the bottom. */
  far = signal(false);
  /** The seq up to which everything was on the screen. */
  readTo = signal(0);

  /** @type {HTMLElement | null} */
  #scroller = null;
  #lastTop = 0;
  #wantsOlder;
  #resized = new ResizeObserver(() => this.#follow());
  #scrolled = () => this.#look();

  /** @param {() => void} wantsOlder */
  constructor(wantsOlder) {
    this.#wantsOlder = wantsOlder;
  }

  /** @param {HTMLElement} scroller @param {HTMLElement} content */
  attach(scroller, content) {
    this.#scroller = scroller;
    scroller.addEventListener("scroll", this.#scrolled, { passive: true });
    this.#resized.observe(scroller);
    this.#resized.observe(content);
    this.#follow();
  }

  detach() {
    this.#scroller?.removeEventListener("scroll", this.#scrolled);
    this.#resized.disconnect();
    this.#scroller = null;
  }

  /** The button that asked for it goes away, so the focus comes along. */
  toBottom() {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    // A long way takes too long to watch.
    const behavior = calm || this.far.peek() ? "instant" : "smooth";
    this.#scroller?.focus({ preventScroll: true });
    this.#scroller?.scrollTo({ top: this.#scroller.scrollHeight, behavior });
  }

  /** @returns {Place} */
  place() {
    if (this.atBottom.peek() || !this.#scroller) return null;
    const { top } = this.#scroller.getBoundingClientRect();
    const chunk = firstBelow(this.#scroller.querySelectorAll(".chunk"), top);
    const element = chunk && firstBelow(chunk.querySelectorAll(".message"), top);
    return element ? { element, top: element.getBoundingClientRect().top } : null;
  }

  /** @param {Place} place */
  restore(place) {
    if (!this.#scroller) return;
    if (place?.element.isConnected) this.#scroller.scrollTop += place.element.getBoundingClientRect().top - place.top;
    this.#follow();
  }

  #follow() {
    if (!this.#scroller) return;
    if (this.atBottom.peek()) this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#look();
  }

  /** Only the reader leaves the bottom: what grows or is laid out late never moves the view up. */
  #look() {
    const { scrollTop, scrollHeight, clientHeight } = /** @type {HTMLElement} */ (this.#scroller);
    const below = scrollHeight - scrollTop - clientHeight;
    if (below < NEAR_PX) this.atBottom.value = true;
    else if (scrollTop < this.#lastTop) this.atBottom.value = false;
    this.far.value = below > 2 * clientHeight;
    this.#lastTop = scrollTop;
    if (scrollTop < AHEAD_PX) this.#wantsOlder();
  }
}

/** @param {ArrayLike<Element>} elements in the order of the page @param {number} top */
function firstBelow(elements, top) {
  let from = 0;
  for (let to = elements.length; from < to;) {
    const middle = (from + to) >> 1;
    if (/** @type {Element} */ (elements[middle]).getBoundingClientRect().bottom > top) to = middle;
    else from = middle + 1;
  }
  return elements[from];
}
