/** Where keys go: words that are typed belong to the composer, wherever the focus was. */

import { isShortcut } from "../../browser/keys.js";
import { name } from "../../me.js";

/** The person writes with a keyboard. On a phone the one on the screen would cover the conversation. */
const hasKeyboard = matchMedia("(hover: hover) and (pointer: fine)");

/** Whether Enter sends. Where there is a touch screen it breaks the line, and the button sends. */
export function sendsOnEnter() {
  return hasKeyboard.matches;
}

/** Focuses the composer, or the field in which somebody says who they are. */
export function focusField() {
  const field = name.peek() ? "#composer" : ".welcome input";
  /** @type {HTMLElement | null} */ (document.querySelector(field))?.focus();
}

/** Does so where that brings up no keyboard on the screen: nobody has asked to write. */
export function focusComposer() {
  if (hasKeyboard.matches) focusField();
}

/** Sends printable keys to the composer, if no field or list takes them; in a thread to the composer of the thread. */
export function typeAnywhere() {
  addEventListener("keydown", (event) => isPrintable(event) && focusForWords());
}

/** Moves the focus to where words go, unless something that takes keys has it. */
export function focusForWords() {
  if (takesKeys(document.activeElement)) return;
  /** @type {HTMLElement | null} */
  const inThread = document.querySelector(":is(.panel:focus-within, .panel:modal) #thread-composer");
  if (inThread) inThread.focus();
  else focusField();
}

/** A question mark shows the keys. @param {KeyboardEvent} event */
function isPrintable(event) {
  const { key, defaultPrevented } = event;
  if (isShortcut(event) || defaultPrevented) return false;
  return key !== " " && key !== "?" && (key === "Dead" || [...key].length === 1);
}

/** @param {Element | null} element */
function takesKeys(element) {
  return Boolean(
    element?.closest(
      "input, textarea, select, [contenteditable], dialog:modal:not(:has(#thread-composer)), [role=menu], [popover]:not(.toolbar)",
    ),
  );
}
