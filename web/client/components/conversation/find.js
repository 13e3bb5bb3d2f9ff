import { openedThread } from "../thread/opened.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @typedef {import("../../messages.js").Row} Row */
/** @typedef {import("../../room/posts.js").PendingPost} PendingPost */
/** @typedef {Row | PendingPost} AnyMessage */

/**
 * Finds a message that is held, in its present state: in the conversation, not sent yet, or in the open thread. Reads
 * signals, so that a component that calls it follows them.
 *
 * @param {Room} room
 * @param {string | undefined} id
 * @returns {AnyMessage | undefined}
 */
export function findMessage(room, id) {
  if (!id) return undefined;
  const isIt = (/** @type {AnyMessage} */ message) => message.id === id;
  const runs = [room.detached.shown.value, room.history];
  const held = runs.map((run) => run.messages.value.findLast(isIt)).find(Boolean);
  return held ?? room.unheard.value.find(isIt) ?? openedThread.value?.thread.rows.value.find(isIt);
}
