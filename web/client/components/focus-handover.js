import { useLayoutEffect, useRef } from "preact/hooks";
import { focusComposer } from "./composer/focus.js";
import { STOP } from "./list-hooks.js";

/** Leaves the focus with the next row where the one goes that has it. Returns the row's `ref`. */
export function useFocusHandover() {
  const row = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => () => leaveFocus(row.current), []);
  return row;
}

/** @param {HTMLElement | null} row */
function leaveFocus(row) {
  if (!row?.contains(document.activeElement)) return;
  const next = row.nextElementSibling ?? row.previousElementSibling;
  const stop = next?.matches(STOP) ? next : next?.querySelector(`${STOP}, button`);
  if (stop) /** @type {HTMLElement} */ (stop).focus();
  else focusComposer();
}
