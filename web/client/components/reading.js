import { signal } from "@preact/signals";

/** @typedef {{element: Element, top: number} | null} Anchor what the reader looks at and where it stands; null is the bottom */

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

  /** The button that asked for it goes away, so the focus comes along. */
  scrollToBottom() {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    // A long way takes too long to watch.
    const behavior = calm || this.isFar.peek() ? "instant" : "smooth";
    this.#scroller?.focus({ preventScroll: true });
    this.#scroller?.scrollTo({ top: this.#scroller.scrollHeight, behavior });
  }

  /** @returns {Anchor} */
  anchor() {
    if (this.atBottom.peek() || !this.#scroller) return null;
    const { top } = this.#scroller.getBoundingClientRect();
    const chunk = firstBelow(this.#scroller.querySelectorAll(".chunk"), top);
    const element = chunk && firstBelow(chunk.querySelectorAll(".message"), top);
    return element ? { element, top: element.getBoundingClientRect().top } : null;
  }

  /** @param {Anchor} anchor */
  restore(anchor) {
    if (!this.#scroller) return;
    if (anchor?.element.isConnected)
      this.#scroller.scrollTop += anchor.element.getBoundingClientRect().top - anchor.top;
    this.#keepBottom();
  }

  #keepBottom() {
    if (!this.#scroller) return;
    if (this.atBottom.peek()) this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#update();
  }

  /** Only the reader leaves the bottom: what grows or is laid out late never moves the view up. */
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
