import { sendsOnEnter } from "../composer/focus.js";

/** Focuses the composer of the open thread, where that brings up no keyboard on the screen. */
export function focusThread() {
  if (sendsOnEnter()) document.getElementById("thread-composer")?.focus();
}
