import { html } from "../../html.js";
import { People as Icon } from "../icons.js";
import { closePanel, openedPanel, openPanel } from "../panel.js";

/** Draws the button that opens and closes the people. @param {{room: import("../../room/room.js").Room}} props */
export function PeopleButton({ room }) {
  const total = room.people.total.value;
  const isOpen = openedPanel.value === "people";
  return html`
    <button
      class="people-button"
      type="button"
      aria-expanded=${isOpen}
      onClick=${() => (isOpen ? closePanel() : openPanel("people"))}
    >
      <${Icon} /><span class="count">${total.toLocaleString()}</span>
      <span class="sr-only">${total === 1 ? "person here" : "people here"}</span>
    </button>
  `;
}
