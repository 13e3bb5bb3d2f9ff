import { drawNow } from "../draw-now.js";
import { openPanel } from "../panel.js";
import { focusThread } from "./focus.js";
import { openedThread } from "./opened.js";

/**
 * Opens the thread of a message in the panel, and moves the focus to where one replies.
 *
 * @param {import("../../room/room.js").Room} room
 * @param {number} root
 */
export function openThread(room, root) {
  drawNow(() => (openedThread.value = { slug: room.slug, thread: room.readThread(root) })); // in a panel that is open, too
  openPanel("thread");
  focusThread();
}
