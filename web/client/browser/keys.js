/**
 * Whether an input method takes the key: Enter then picks a word. Safari reports it by key code 229 only.
 *
 * @param {KeyboardEvent} event
 */
export function isComposing(event) {
  return event.isComposing || event.keyCode === 229;
}

/** Whether a key is pressed with one that makes a command of it. @param {KeyboardEvent} event */
export function isShortcut(event) {
  return (event.ctrlKey || event.metaKey || event.altKey) && !event.getModifierState("AltGraph");
}
