/**
 * Moves the focus among the items of a list with the arrow keys, Home and End. Returns whether the key was one of them.
 *
 * @param {KeyboardEvent} event
 * @param {Iterable<HTMLElement>} list
 * @param {"vertical" | "horizontal"} [direction]
 */
export function moveFocus(event, list, direction = "vertical") {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return false;
  const items = [...list];
  // A button beside an item counts as the item.
  const at = items.findIndex((item) => (item.closest("li") ?? item).contains(document.activeElement));
  const to = destination(event.key, direction, at, items.length - 1);
  if (to === undefined) return false;
  event.preventDefault();
  items[Math.min(Math.max(to, 0), items.length - 1)]?.focus();
  return true;
}

/** @param {string} key @param {"vertical" | "horizontal"} direction @param {number} at @param {number} last */
function destination(key, direction, at, last) {
  const [back, on] = direction === "vertical" ? ["ArrowUp", "ArrowDown"] : ["ArrowLeft", "ArrowRight"];
  if (key === back) return at - 1;
  if (key === on) return at + 1;
  if (key === "Home") return 0;
  return key === "End" ? last : undefined;
}

/**
 * Has a field that is focused take text where its caret was. Chromium leaves the selection in a dialog that somebody has
 * clicked in and that is closed, though it gives the focus back to the field: keys wrote nothing then.
 */
export function bringSelection() {
  addEventListener("focusin", ({ target }) => {
    const isField = target instanceof HTMLTextAreaElement || target instanceof HTMLInputElement;
    const selection = getSelection();
    if (!isField || !selection?.anchorNode) return;
    const selected = selection.anchorNode.childNodes[selection.anchorOffset];
    if (selected !== target) selection.removeAllRanges(); // that of the field counts then
  });
}

/** Whether the focus leaves the element that hears the event. @param {FocusEvent} event */
export function leaves({ currentTarget, relatedTarget }) {
  return !(/** @type {Element} */ (currentTarget).contains(/** @type {Node | null} */ (relatedTarget)));
}
