import { focusComposer } from "../composer/focus.js";
import { messageAt } from "./pointing.js";
import { firstBelow } from "./reading.js";

/** What can be pressed in a message, where the arrow keys have no other meaning. */
const CONTROL = "a, button, .spoiler";

/**
 * Moves the focus among messages with the arrow keys, also from what can be pressed in them: the conversation is one
 * stop of the Tab key. Home, End and the page keys scroll.
 *
 * @param {KeyboardEvent} event heard by the conversation
 */
export function moveAmongMessages(event) {
  const from = /** @type {HTMLElement} */ (event.target);
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const message = messageAt(from);
  if (!from.matches(message ? `.message, ${CONTROL}` : ".scroller")) return;
  const to = message ? destination(event.key, message, from === message) : event.key === "ArrowUp" && lowestShown(from);
  if (!to) return;
  event.preventDefault();
  to.focus();
  to.scrollIntoView({ block: "nearest" });
}

/**
 * @param {string} key
 * @param {HTMLElement} message
 * @param {boolean} isFocused the message, and nothing in it: Enter presses that
 * @returns {HTMLElement | null | undefined}
 */
function destination(key, message, isFocused) {
  if (key === "ArrowUp") return neighbour(message, "previousNode");
  if (key === "ArrowDown") return neighbour(message, "nextNode");
  if (key === "ArrowRight" || (key === "Enter" && isFocused))
    return message.closest(".conversation")?.querySelector(".toolbar button");
  if (key === "Escape" && !message.closest(".panel")) focusComposer(); // a panel closes
  return undefined;
}

/**
 * Returns the message above or below one.
 *
 * @param {HTMLElement} message
 * @param {"previousNode" | "nextNode"} direction
 */
export function neighbour(message, direction) {
  const content = /** @type {Element} */ (message.closest(".content"));
  const accept = (/** @type {Node} */ node) => (messageAt(node) === node ? 1 : 3); // else its children are looked at
  const walker = document.createTreeWalker(content, NodeFilter.SHOW_ELEMENT, accept);
  walker.currentNode = message;
  return /** @type {HTMLElement | null} */ (walker[direction]());
}

/** Returns the lowest message on the screen. @param {HTMLElement} scroller */
function lowestShown(scroller) {
  const { bottom } = scroller.getBoundingClientRect();
  const parts = scroller.querySelectorAll(".chunk, .pending-posts");
  const messages = (firstBelow(parts, bottom - 1) ?? parts[parts.length - 1])?.querySelectorAll(".message") ?? [];
  return /** @type {HTMLElement | undefined} */ (firstBelow(messages, bottom - 1) ?? messages[messages.length - 1]);
}

/** Moves the focus in the toolbar, and back to its message. @param {any} event @param {HTMLElement | null} message */
export function leaveToolbar(event, message) {
  const { key, target, currentTarget } = event;
  const isBack = key === "Escape" || (key === "ArrowLeft" && target === currentTarget.querySelector("button"));
  if (!isBack) return false;
  event.preventDefault();
  event.stopPropagation();
  message?.focus();
  return true;
}
