/** What may be sent, what sends it, and how much more there may be: the same for every composer. */

import { isComposing } from "../../browser/keys.js";
import { LIMITS } from "../../messages.js";
import { sendsOnEnter } from "./focus.js";

/** From this length on a composer shows how many characters are left. */
const COUNT_FROM = LIMITS.message - 400;

/** @param {number} used */
export function isSendable(used) {
  return used > 0 && used <= LIMITS.message;
}

/** @param {number} used */
export function remaining(used) {
  if (used < COUNT_FROM) return "";
  const left = LIMITS.message - used;
  return left < 0 ? `${-left} too many: shorten it, or send it in two` : `${left} left`;
}

/** Whether Enter was pressed to send. Ctrl or Cmd with it sends everywhere. @param {KeyboardEvent} event */
export function isSending(event) {
  if (event.key !== "Enter" || isComposing(event)) return false;
  return event.ctrlKey || event.metaKey || (sendsOnEnter() && !event.shiftKey);
}

/**
 * Keeps the focus in the text field. Otherwise a phone's keyboard closes at each message.
 *
 * @param {PointerEvent} event
 */
export function keepFocus(event) {
  event.preventDefault();
}
