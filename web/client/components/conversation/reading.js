import { signal } from "@preact/signals";
import { UNFOLD } from "./fold.js";

/** @typedef {import("../../room/room.js").Place} Place */
/** @typedef {{element: Element, top: number} | null} Anchor the message being read and its place; null is the bottom */

/**
 * @typedef {object} Conversation what Reading needs of the messages
 * @property {() => boolean} isLive the newest messages are drawn; else the view never stays at the bottom
 * @property {() => void} loadOlder is called when little is left above
 * @property {() => void} loadNewer is called when little is left below
 * @property {() => void} cameToBottom the person has come down to the newest message
 */

/** Closer than this counts as the bottom: a slip by two lines does not leave it. */
const NEAR_PX = 60;
/** What a person scrolls with. */
const MOVES = ["keydown", "wheel", "touchmove"];
const KEYS = ["ArrowDown", "ArrowUp", "PageDown", "PageUp", "Home", "End", " "];
/** More messages are loaded when less than this, a screen or two, is left above or below. */
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
  /** @type {object | null} identifies the running `#settle` */
  #settling = null;
  #conversation;
  #resizes = new ResizeObserver(() => this.#keepBottom());
  #onScroll = () => this.update();
  #onUnfold = () => this.#leaveBottom();
  #onMove = (/** @type {Event} */ event) => this.#leave(event);

  /** @param {Conversation} conversation */
  constructor(conversation) {
    this.#conversation = conversation;
  }

  // ---- Lifecycle

  /** @param {HTMLElement} scroller @param {HTMLElement} content */
  attach(scroller, content) {
    this.#scroller = scroller;
    scroller.addEventListener("scroll", this.#onScroll, { passive: true });
    scroller.addEventListener(UNFOLD, this.#onUnfold);
    for (const move of MOVES) scroller.addEventListener(move, this.#onMove, { passive: true });
    this.#resizes.observe(scroller);
    this.#resizes.observe(content);
  }

  detach() {
    this.#scroller?.removeEventListener("scroll", this.#onScroll);
    this.#scroller?.removeEventListener(UNFOLD, this.#onUnfold);
    for (const move of MOVES) this.#scroller?.removeEventListener(move, this.#onMove);
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

  /** Keeps the view at the bottom from now on. */
  stayAtBottom() {
    this.#settling = null;
    this.atBottom.value = true;
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
    if (anchor?.element.isConnected) this.#scrollBy(anchor.element.getBoundingClientRect().top - anchor.top);
    this.#keepBottom();
  }

  /** Returns where the person is reading; null at the newest message. @returns {Place | null} */
  place() {
    const anchor = this.anchor();
    return anchor && this.placeAt(anchor);
  }

  /** @param {NonNullable<Anchor>} anchor @returns {Place} */
  placeAt({ element, top }) {
    const { top: edge } = /** @type {HTMLElement} */ (this.#scroller).getBoundingClientRect();
    return { seq: seqOf(element), top: top - edge, readTo: this.readTo.peek() };
  }

  /** Scrolls to a place that the person has left. Its message may be void by now. @param {Place | null} place */
  goTo(place) {
    const messages = [...(this.#scroller?.querySelectorAll(".message[data-seq]") ?? [])];
    const element = place && (messages.findLast((message) => seqOf(message) <= place.seq) ?? messages[0]);
    if (element) {
      this.readTo.value = place.readTo;
      this.#settle(() => this.#moveTo(element, place.top));
    } else {
      if (this.#conversation.isLive()) this.stayAtBottom();
      this.#keepBottom();
    }
  }

  /** Scrolls to a message that the person asked for, and focuses it unless they are writing. @param {Element} element */
  show(element) {
    const isWriting = document.activeElement?.matches("input, textarea");
    if (!isWriting) /** @type {HTMLElement} */ (element).focus({ preventScroll: true });
    element.getAnimations().forEach((animation) => animation.play()); // its mark, which may have faded already
    this.#settle(() => {
      const { clientHeight } = /** @type {HTMLElement} */ (this.#scroller);
      this.#moveTo(element, Math.max(0, (clientHeight - element.getBoundingClientRect().height) / 2));
    });
  }

  /** Whether a message is above the screen. @param {Element} element */
  isAbove(element) {
    const { top } = /** @type {HTMLElement} */ (this.#scroller).getBoundingClientRect();
    return element.getBoundingClientRect().bottom < top;
  }

  /** Notes where the view is. Scrolling up and unfolding leave the bottom: other content that grows never does. */
  update() {
    if (this.#settling) return;
    const { scrollTop } = /** @type {HTMLElement} */ (this.#scroller);
    const wasAtBottom = this.atBottom.peek();
    if (this.#below < NEAR_PX) this.atBottom.value = this.#conversation.isLive();
    else if (scrollTop < this.#lastTop) this.atBottom.value = false;
    this.isFar.value = this.#below > 2 * /** @type {HTMLElement} */ (this.#scroller).clientHeight;
    this.#lastTop = scrollTop;
    if (this.atBottom.peek() && !wasAtBottom) this.#conversation.cameToBottom();
    if (scrollTop < AHEAD_PX) this.#conversation.loadOlder();
    if (this.#below < AHEAD_PX) this.#conversation.loadNewer();
  }

  // ---- Internal

  #keepBottom() {
    if (!this.#scroller) return;
    if (this.atBottom.peek()) this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.update();
  }

  /** Goes nowhere by itself any more where the person goes elsewhere. @param {Event} event */
  #leave(event) {
    if (!(event instanceof KeyboardEvent) || KEYS.includes(event.key)) this.#settling = null;
  }

  /** Stays where a long message was opened, to be read from there. */
  #leaveBottom() {
    this.atBottom.value = false;
    this.update();
  }

  /** The height of what is below the screen. */
  get #below() {
    const { scrollTop, scrollHeight, clientHeight } = /** @type {HTMLElement} */ (this.#scroller);
    return scrollHeight - scrollTop - clientHeight;
  }

  /**
   * Scrolls now and in the next two frames: what comes into sight gets its real height only then.
   *
   * @param {() => void} scroll
   */
  #settle(scroll) {
    const settling = (this.#settling = {});
    const again = (/** @type {() => void} */ then) => () => {
      if (!this.#scroller || this.#settling !== settling) return;
      scroll();
      then();
    };
    const end = () => {
      this.#settling = null;
      this.update();
    };
    this.atBottom.value = false;
    scroll();
    requestAnimationFrame(again(() => requestAnimationFrame(again(end))));
  }

  /**
   * Scrolls by a distance that was measured first: measuring lays out what was out of sight, and there the browser's own
   * anchoring moves the view.
   *
   * @param {number} distance in pixels
   */
  #scrollBy(distance) {
    /** @type {HTMLElement} */ (this.#scroller).scrollTop += distance;
  }

  /** Scrolls so that `element` is `top` pixels below the upper edge. @param {Element} element @param {number} top */
  #moveTo(element, top) {
    const scroller = /** @type {HTMLElement} */ (this.#scroller);
    if (!element.isConnected) return;
    this.#scrollBy(element.getBoundingClientRect().top - scroller.getBoundingClientRect().top - top);
    this.#lastTop = scroller.scrollTop;
  }
}

/** @param {Element} element */
export function seqOf(element) {
  return Number(/** @type {HTMLElement} */ (element).dataset.seq);
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
