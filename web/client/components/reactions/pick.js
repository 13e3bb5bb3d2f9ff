import { name } from "../../me.js";
import { focusField } from "../composer/focus.js";
import { loadPart } from "../load-part.js";
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
export function pickReaction(room, message, anchor, element) {
  const pick = (/** @type {string} */ emoji) => toggleReaction(room, message, keyOf(emoji));
  loadPart(
    () => import("../composer/emoji-picker.js"),
    ({ openPicker }) => openPicker(anchor, pick, element),
  );
}

/** @param {Room} room @param {Row} message @param {string} key */
export function toggleReaction(room, message, key) {
  if (!name.peek()) return focusField(); // the one for the name
  if (!message.mine?.includes(key)) noteUse(key);
  room.toggleReaction(message, key);
}
