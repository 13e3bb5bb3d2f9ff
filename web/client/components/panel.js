import { effect, signal } from "@preact/signals";
import { createRef } from "preact";
import { showDialog } from "../browser/overlays.js";
import { load, save } from "../browser/storage.js";
import { isWide } from "../browser/viewport.js";
import { html } from "../html.js";
import { Close } from "./icons.js";
import { PeoplePanel } from "./people/people-panel.js";

/** @typedef {import("../room/room.js").Room} Room */
/** @typedef {keyof typeof PANELS} PanelName */

/** What can stand beside the conversation: the name that screen readers say, and what draws the heading and the rest. */
const PANELS = { people: { label: "Here now", Content: PeoplePanel } };

/** The panel that is open: one at a time. Wide screens begin with the people, unless they were closed. */
export const openedPanel = signal(/** @type {PanelName | ""} */ (""));

/** @type {{current: HTMLDialogElement | null}} */
const dialog = createRef();

/** @param {PanelName} name */
export function openPanel(name) {
  openedPanel.value = name;
  if (isWide.peek()) save("panel", name);
  else showDialog(dialog.current);
}

export function closePanel() {
  openedPanel.value = "";
  if (!isWide.peek()) return dialog.current?.close();
  save("panel", "none");
  /** @type {HTMLElement | null} */ (document.querySelector(".people-button"))?.focus(); // the pressed button may go away
}

/** Opens what a wide screen begins with. A dialog that nobody asked for would cover a narrow one. */
export function watchPanel() {
  effect(() => {
    openedPanel.value = isWide.value && load("panel") !== "none" ? "people" : "";
    if (isWide.value) dialog.current?.close(); // the column takes its place
  });
}

/** Draws the open panel: a column on wide screens, else a dialog over the page. @param {{room: Room}} props */
export function Panel({ room }) {
  const { label, Content } = PANELS[openedPanel.value || "people"];
  const isOpen = openedPanel.value !== "";
  const content = isOpen && html`<${CloseButton} /><${Content} room=${room} />`;
  if (isWide.value) return isOpen && html`<section class="panel" aria-label=${label}>${content}</section>`;
  const onClick = (/** @type {MouseEvent} */ event) => event.target === event.currentTarget && closePanel();
  return html`
    <dialog
      class="panel"
      aria-label=${label}
      ref=${dialog}
      onClick=${onClick}
      onClose=${() => isWide.peek() || (openedPanel.value = "")}
    >
      ${content}
    </dialog>
  `;
}

function CloseButton() {
  return html`
    <button class="quiet-button close-panel" type="button" aria-label="Close panel" onClick=${closePanel}>
      <${Close} />
    </button>
  `;
}
