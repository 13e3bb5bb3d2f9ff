import { computed, signal } from "@preact/signals";
import { leaves } from "../../browser/focus.js";

/** A finger that rests so long asks for the sheet: about what phones take. */
const LONG_PRESS_MS = 500;
/** A finger that moves further scrolls. */
const SLIP_PX = 10;

/**
 * Pointing knows which message the mouse or the focus is on, and tells when a finger rests on one.
 *
 * It listens at the conversation: messages have no listeners of their own, so that a busy room adds none.
 */
export class Pointing {
  #hovered = signal(/** @type {HTMLElement | null} */ (null));
  focused = signal(/** @type {HTMLElement | null} */ (null));
  /** The message that the toolbar is for. */
  target = computed(() => this.#hovered.value ?? this.focused.value);
  #longPressed;
  /** @type {ReturnType<typeof setTimeout> | undefined} runs while a finger rests */
  #timer;
  #isTouched = false;
  #isLong = false;
  #start = { x: 0, y: 0 };
  #listening = new AbortController();

  /** @param {(message: HTMLElement) => void} longPressed */
  constructor(longPressed) {
    this.#longPressed = longPressed;
  }

  /** @param {HTMLElement} conversation */
  attach(conversation) {
    const on = (/** @type {string} */ event, /** @type {(event: any) => void} */ act) =>
      conversation.addEventListener(event, act, { signal: this.#listening.signal });
    on("pointerleave", () => (this.#hovered.value = null));
    on("focusin", ({ target }) => isInToolbar(target) || this.#focusedOn(target));
    on("focusout", (event) => leaves(event) && this.#focusedOn(event.relatedTarget));
    on("pointerdown", (event) => this.#touched(event));
    // Not pointerover: that comes, too, when messages move below a mouse that rests.
    on("pointermove", (event) => this.#moved(event));
    for (const end of ["pointerup", "pointercancel"]) on(end, () => clearTimeout(this.#timer));
    // Lifting the finger must not press what the sheet has put below it.
    on("touchend", (event) => this.#isLong && event.preventDefault());
    on("contextmenu", (event) => this.#isTouched && messageAt(event.target) && event.preventDefault());
  }

  detach() {
    this.#listening.abort();
    clearTimeout(this.#timer);
  }

  /** Follows the keyboard; a click gives focus, too, and is not meant. @param {Element | null} target */
  #focusedOn(target) {
    const message = target?.matches(":focus-visible") ? messageAt(target) : null;
    if (message !== this.focused.peek()) {
      letTabReach(this.focused.peek(), false);
      letTabReach(message, true);
    }
    this.focused.value = message;
    if (message) this.#hovered.value = null;
  }

  /** @param {PointerEvent} event */
  #touched({ pointerType, target, clientX: x, clientY: y }) {
    this.#isTouched = pointerType === "touch" && !isControl(target);
    this.#isLong = false;
    clearTimeout(this.#timer);
    const message = messageAt(target);
    if (!this.#isTouched || !message) return;
    this.#start = { x, y };
    this.#timer = setTimeout(() => {
      this.#isLong = true;
      this.#longPressed(message);
    }, LONG_PRESS_MS);
  }

  /** @param {PointerEvent} event */
  #moved({ pointerType, target, clientX, clientY }) {
    if (pointerType !== "touch" && !isInToolbar(target)) this.#hovered.value = messageAt(target);
    if (Math.hypot(clientX - this.#start.x, clientY - this.#start.y) > SLIP_PX) clearTimeout(this.#timer);
  }
}

/** @param {EventTarget | null} target @returns {HTMLElement | null} */
export function messageAt(target) {
  return target instanceof Element ? target.closest(".message") : null;
}

/**
 * Lets the Tab key reach a message and what can be pressed in it, or not.
 *
 * @param {HTMLElement | null} message
 * @param {boolean} isIn
 */
function letTabReach(message, isIn) {
  if (!message) return;
  /** @type {NodeListOf<HTMLElement>} */
  const stops = message.querySelectorAll("[tabindex]");
  for (const stop of [message, ...stops]) stop.tabIndex = isIn ? 0 : -1;
}

/** @param {EventTarget | null} target */
function isInToolbar(target) {
  return target instanceof Element && target.closest(".toolbar") !== null;
}

/** Whether a long press there has another meaning. @param {EventTarget | null} target */
function isControl(target) {
  return target instanceof Element && target.closest("a, button, summary") !== null;
}
