import { signal } from "@preact/signals";

/** @typedef {{element: Element, top: number} | null} Anchor the message being read and its place; null is the bottom */

/** Closer than this counts as the bottom: a slip by two lines does not leave it. */
const NEAR_PX = 60;
/** Older messages are loaded when less than this, a screen or two, is left above. */
const AHEAD_PX = 1200;

/**
 * Reading tracks and keeps the reader's place in the conversation.
 *
 * When messages are added or change their height, the view stays at the bottom if it was there, and otherwise on the
 * message being read.
 */
export class Reading {
  atBottom = signal(true);
  /** The view is more than two screens above the bottom. */
  isFar = signal(false);
  /** The seq up to which everything was on the screen. */
  readTo = signal(0);

  /** @type {HTMLElement | null} */
  #scroller = null;
  #lastTop = 0;
  #loadOlder;
  #resizes = new ResizeObserver(() => this.#keepBottom());
  #onScroll = () => this.#update();

  /** @param {() => void} loadOlder */
  constructor(loadOlder) {
    this.#loadOlder = loadOlder;
  }

  // ---- Lifecycle

  /** @param {HTMLElement} scroller @param {HTMLElement} content */
  attach(scroller, content) {
    this.#scroller = scroller;
    scroller.addEventListener("scroll", this.#onScroll, { passive: true });
    this.#resizes.observe(scroller);
    this.#resizes.observe(content);
    this.#keepBottom();
  }

  detach() {
    this.#scroller?.removeEventListener("scroll", this.#onScroll);
    this.#resizes.disconnect();
    this.#scroller = null;
  }

  // ---- The reader's place

  /** Scrolls to the newest message. Takes the focus along, as the pressed button goes away. */
  scrollToBottom() {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    // A long smooth scroll takes too long to watch.
    const behavior = calm || this.isFar.peek() ? "instant" : "smooth";
    this.#scroller?.focus({ preventScroll: true });
    this.#scroller?.scrollTo({ top: this.#scroller.scrollHeight, behavior });
  }

  /** Returns the topmost message on the screen. @returns {Anchor} */
  anchor() {
    if (this.atBottom.peek() || !this.#scroller) return null;
    const { top } = this.#scroller.getBoundingClientRect();
    const chunk = firstBelow(this.#scroller.querySelectorAll(".chunk"), top);
    const element = chunk && firstBelow(chunk.querySelectorAll(".message"), top);
    return element ? { element, top: element.getBoundingClientRect().top } : null;
  }

  /** Scrolls so that the anchor is where it was. @param {Anchor} anchor */
  restore(anchor) {
    if (!this.#scroller) return;
    if (anchor?.element.isConnected)
      this.#scroller.scrollTop += anchor.element.getBoundingClientRect().top - anchor.top;
    this.#keepBottom();
  }

  // ---- Internal

  #keepBottom() {
    if (!this.#scroller) return;
    if (this.atBottom.peek()) this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#update();
  }

  /** Notes where the view is. Only scrolling up leaves the bottom: content that grows never does. */
  #update() {
    const { scrollTop, scrollHeight, clientHeight } = /** @type {HTMLElement} */ (this.#scroller);
    const below = scrollHeight - scrollTop - clientHeight;
    if (below < NEAR_PX) this.atBottom.value = true;
    else if (scrollTop < this.#lastTop) this.atBottom.value = false;
    this.isFar.value = below > 2 * clientHeight;
    this.#lastTop = scrollTop;
    if (scrollTop < AHEAD_PX) this.#loadOlder();
  }
}

/**
 * Finds the first element that ends below `top`, by bisection.
 *
 * @param {ArrayLike<Element>} elements in the order of the page
 * @param {number} top
 */
export function firstBelow(elements, top) {
  let from = 0;
  for (let to = elements.length; from < to;) {
    const middle = (from + to) >> 1;
    if (/** @type {Element} */ (elements[middle]).getBoundingClientRect().bottom > top) to = middle;
    else from = middle + 1;
  }
  return elements[from];
}
