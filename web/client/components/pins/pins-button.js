import { untracked, useSignalEffect } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { html } from "../../html.js";
import { Pin } from "../icons.js";
import { closePanel, openedPanel } from "../panel.js";
import { openPins } from "./open.js";

/**
 * Draws the button that opens the pinned messages, in a room that has any.
 *
 * @param {{room: import("../../room/room.js").Room}} props
 */
export function PinsButton({ room }) {
  const pins = useMemo(() => room.readPinned(), []);
  useSignalEffect(() => {
    if (room.state.value === "joined" && !pins.isRead) untracked(() => room.readPinned());
  });
  const { length: count } = pins.rows.value;
  const isOpen = openedPanel.value === "pins";
  if (!count) return null; // an open panel has a button that closes it
  return html`
    <button class="pins-button" type="button" aria-expanded=${isOpen} onClick=${isOpen ? closePanel : openPins}>
      <${Pin} /><span class="count">${count}</span>
      <span class="sr-only">${count === 1 ? "pinned message" : "pinned messages"}</span>
    </button>
  `;
}
