import { html } from "../../html.js";
import { Reply } from "../icons.js";
import { openThread } from "./open.js";

/**
 * Draws how many replies a message has. Leads to its thread.
 *
 * @param {{room: import("../../room/room.js").Room, root: import("../../messages.js").Row}} props
 */
export function RepliesButton({ room, root }) {
  const { replies = 0 } = root;
  return html`
    <button class="replies" type="button" tabindex="-1" aria-live="off" onClick=${() => openThread(room, root.seq)}>
      <${Reply} />${replies.toLocaleString()} ${replies === 1 ? "reply" : "replies"}
    </button>
  `;
}
