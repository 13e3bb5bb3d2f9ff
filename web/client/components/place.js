/** Pixels between an element of the top layer and the edges of the screen. */
const MARGIN_PX = 8;

/** What a conversation is observed for: each change may move what is in it. @type {MutationObserverInit} */
export const ANY_CHANGE = { attributes: true, characterData: true, childList: true, subtree: true };

/**
 * Places an element of the top layer below a box, or above it where the screen ends.
 *
 * @param {HTMLElement} element which is shown already
 * @param {DOMRect} box
 */
export function placeBeside(element, box) {
  const { width, height } = element.getBoundingClientRect();
  const isBelow = box.bottom + height + MARGIN_PX < innerHeight;
  const top = isBelow ? box.bottom : box.top - height;
  const left = Math.min(box.left, innerWidth - width - MARGIN_PX);
  Object.assign(element.style, { top: `${Math.max(MARGIN_PX, top)}px`, left: `${Math.max(MARGIN_PX, left)}px` });
}
