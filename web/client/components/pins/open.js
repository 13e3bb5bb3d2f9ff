import { openPanel } from "../panel.js";

/** Opens the pinned messages in the panel, and moves the focus there. */
export function openPins() {
  openPanel("pins");
  /** @type {HTMLElement | null} */ (document.querySelector(".pins a"))?.focus();
}
