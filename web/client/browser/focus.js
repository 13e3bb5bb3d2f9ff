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

/** Fields that were filled while something else had the focus. @type {WeakSet<EventTarget>} */
const filled = new WeakSet();

/**
 * Has a field that is focused take text where its caret was. Chromium leaves the selection in a dialog that somebody has
 * clicked in and that is closed, though it gives the focus back to the field: keys wrote nothing then. And it has the
 * caret before a text that came into the field while a dialog was open.
 */
export function bringSelection() {
  addEventListener("focusin", ({ target }) => {
    if (!isTextField(target)) return;
    const { anchorNode, anchorOffset } = getSelection() ?? {};
    const selected = anchorNode?.childNodes[anchorOffset ?? 0];
    if (anchorNode && selected !== target) getSelection()?.removeAllRanges(); // that of the field counts then
    if (filled.delete(target) && !target.selectionEnd)
      target.setSelectionRange(target.value.length, target.value.length);
  });
}

/** Puts a text into a field, with the caret behind it. @param {HTMLTextAreaElement} field @param {string} text */
export function fillField(field, text) {
  field.value = text;
  if (document.activeElement !== field) filled.add(field);
}

/** Inserts a text where the caret of the field with the focus is, as if it were typed: it can be undone. @param {string} text */
export function insertText(text) {
  document.execCommand("insertText", false, text);
}

/** @param {EventTarget | null} target @returns {target is HTMLTextAreaElement | HTMLInputElement} */
function isTextField(target) {
  return target instanceof HTMLTextAreaElement || target instanceof HTMLInputElement;
}

/** Whether the focus leaves the element that hears the event. @param {FocusEvent} event */
export function leaves({ currentTarget, relatedTarget }) {
  return !(/** @type {Element} */ (currentTarget).contains(/** @type {Node | null} */ (relatedTarget)));
}
