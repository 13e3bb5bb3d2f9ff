/** The keys of the emoji picker: arrows move between the field and the emoji, and letters go to the field. */

/**
 * Moves the focus as a key says.
 *
 * @param {KeyboardEvent} event from the field or an emoji
 */
export function moveAmongEmoji(event) {
  const picker = /** @type {HTMLElement} */ (event.currentTarget);
  const field = /** @type {HTMLElement} */ (picker.querySelector("input"));
  const focused = /** @type {HTMLElement} */ (event.target);
  if (focused === field) {
    if (event.key === "ArrowDown") focus(event, picker.querySelector("button"));
    return;
  }
  const all = [...picker.querySelectorAll("button")];
  const at = all.indexOf(/** @type {HTMLButtonElement} */ (focused));
  const isLetter = event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey;
  if (isLetter || event.key === "Backspace") field.focus();
  else if (event.key === "ArrowRight") focus(event, all[at + 1]);
  else if (event.key === "ArrowLeft") focus(event, all[at - 1] ?? field);
  else if (event.key === "ArrowDown") focus(event, inNextRow(all, at, 1));
  else if (event.key === "ArrowUp") focus(event, inNextRow(all, at, -1) ?? field);
  else if (event.key === "Home") focus(event, all[0]);
  else if (event.key === "End") focus(event, all.at(-1));
}

/** @param {KeyboardEvent} event @param {HTMLElement | null | undefined} element */
function focus(event, element) {
  event.preventDefault();
  element?.focus();
}

/**
 * Finds the emoji below or above one. A row may be shorter than the one before.
 *
 * @param {HTMLElement[]} all
 * @param {number} at
 * @param {1 | -1} step
 */
function inNextRow(all, at, step) {
  const { top, left } = /** @type {HTMLElement} */ (all[at]).getBoundingClientRect();
  let found;
  let row;
  for (let next = at + step; all[next]; next += step) {
    const place = /** @type {HTMLElement} */ (all[next]).getBoundingClientRect();
    if (place.top === top) continue;
    row ??= place.top;
    if (place.top !== row || (found && (step > 0 ? place.left > left : place.left < left))) break;
    found = all[next];
  }
  return found;
}
