import { name } from "../../me.js";
import { focusField } from "../composer/focus.js";
import { keyOf, noteUse } from "./emoji.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @typedef {import("../../messages.js").Row} Row */

/**
 * Opens the picker of emoji, and reacts with what is picked.
 *
 * @param {Room} room
 * @param {Row} message
 * @param {HTMLElement} anchor
 * @param {HTMLElement | null} element that shows the message
 */
export async function pickReaction(room, message, anchor, element) {
  const { openPicker } = await import("../composer/emoji-picker.js");
  openPicker(anchor, (emoji) => toggleReaction(room, message, keyOf(emoji)), element);
}

/** @param {Room} room @param {Row} message @param {string} key */
export function toggleReaction(room, message, key) {
  if (!name.peek()) return focusField(); // the one for the name
  if (!message.mine?.includes(key)) noteUse(key);
  room.toggleReaction(message, key);
}
