import { computed, effect, signal } from "@preact/signals";
import { createRef } from "preact";
import { showDialog } from "../browser/overlays.js";
import { slug } from "../browser/route.js";
import { load, save } from "../browser/storage.js";
import { isWide } from "../browser/viewport.js";
import { isRemoved } from "../memberships/removed.js";
import { drawNow } from "./draw-now.js";

/** @typedef {"people" | "thread" | "pins"} PanelName */

/**
 * The panel that is open: one at a time. Wide screens begin with the people, unless they were closed, and go back to
 * them from a thread or the pinned messages.
 */
export const openedPanel = signal(/** @type {PanelName | ""} */ (""));

/** Where there is no column, panels lie over the page in it. @type {{current: HTMLDialogElement | null}} */
export const panelDialog = createRef();

/** @type {HTMLElement | null} what had the focus when the panel was opened */
let opener = null;

/** Opens a panel with what is in it, so that the focus has where to go. @param {PanelName} name */
export function openPanel(name) {
  opener = /** @type {HTMLElement | null} */ (document.activeElement);
  drawNow(() => (openedPanel.value = name));
  if (!isWide.peek()) showDialog(panelDialog.current);
  else if (name === "people") save("panel", name);
}

export function closePanel() {
  const wasPeople = openedPanel.peek() === "people";
  if (!isWide.peek()) return panelDialog.current?.close();
  if (wasPeople) save("panel", "none");
  openedPanel.value = wasPeople ? "" : firstPanel();
  if (opener?.isConnected && !opener.closest(".panel")) opener.focus();
  else focusPeopleButton(); // the pressed button may go away
}

/**
 * Opens what a wide screen begins with, and again for another room: a thread is of one, and nobody reads it who is in that
 * no more.
 */
export function watchPanel() {
  const isGone = computed(() => isRemoved(slug.value));
  effect(() => {
    slug.value;
    isGone.value;
    const isColumn = isWide.value;
    // A dialog that nobody asked for would cover a narrow screen, and on a wide one the column takes its place.
    openedPanel.value = isColumn ? firstPanel() : "";
    panelDialog.current?.close();
  });
}

/** @returns {PanelName | ""} */
function firstPanel() {
  return load("panel") === "none" ? "" : "people";
}

function focusPeopleButton() {
  /** @type {HTMLElement | null} */ (document.querySelector(".people-button"))?.focus();
}
