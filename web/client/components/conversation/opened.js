/** The folds and spoilers that the reader has opened. They stay so while the page lives, wherever they are redrawn. */

import { signal } from "@preact/signals";

/** @type {Map<string, import("@preact/signals").Signal<boolean>>} */
const opened = new Map();

/**
 * Returns whether one of them is open, as a signal. Only what was opened once is remembered.
 *
 * @param {string} key the message's id and the place in it
 */
export function openSignal(key) {
  return opened.get(key) ?? signal(false);
}

/** @param {string} key @param {import("@preact/signals").Signal<boolean>} isOpen @param {boolean} value */
export function setOpen(key, isOpen, value) {
  opened.set(key, isOpen);
  isOpen.value = value;
}
