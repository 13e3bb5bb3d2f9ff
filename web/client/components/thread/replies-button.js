import { threadDrafts, threadKey } from "../../drafts.js";
import { html } from "../../html.js";
import { Edit, Reply } from "../icons.js";
import { openThread } from "./open.js";

/**
 * Draws how many replies a message has, and whether one has begun another. Leads to its thread.
 *
 * @param {{room: import("../../room/room.js").Room, root: import("../../messages.js").Row}} props
 */
export function RepliesButton({ room, root }) {
  const { replies = 0 } = root;
  const hasDraft = threadDrafts.keys.value.has(threadKey(room.slug, root.seq));
  if (!replies && !hasDraft) return null;
  return html`
    <button class="replies" type="button" tabindex="-1" aria-live="off" onClick=${() => openThread(room, root.seq)}>
      <${Reply} />${replies > 0 && html`${replies.toLocaleString()} ${replies === 1 ? "reply" : "replies"}`}
      ${hasDraft && html`<${Edit} /> draft`}
    </button>
  `;
}
