import { useRef } from "preact/hooks";
import { readBy } from "../../authors.js";
import { html } from "../../html.js";
import { isMine } from "../../me.js";
import { excerptOf } from "../../text/excerpt.js";

/** @typedef {import("../../messages.js").RoomEvent} RoomEvent */

/**
 * Tells screen readers that somebody else has edited or deleted a message, once, when the page hears it. The element is
 * always there: they read out what appears in it.
 *
 * @param {{room: import("../../room/room.js").Room}} props
 */
export function Announcer({ room }) {
  const event = room.lastEvent.value;
  const first = useRef(event); // of an earlier visit to the room
  const words = event && event !== first.current && wordsFor(event);
  return html`
    <p class="announcer sr-only" role="status">${words && html`<span key=${event.seq}>${words}</span>`}</p>
  `;
}

/** @param {RoomEvent} event */
function wordsFor({ kind, by, message = "" }) {
  if (!by || isMine(readBy(by))) return "";
  if (kind === "edit") return `${by.name} edited: ${excerptOf(message)}`;
  return kind === "delete" ? `${by.name} deleted a message` : "";
}
