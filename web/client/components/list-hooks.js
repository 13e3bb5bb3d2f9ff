import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { leaves, moveFocus } from "../browser/focus.js";

/** Marks an element of a list that the arrow keys reach; its value is the element's key. */
export const STOP = "[data-stop]";

/**
 * Makes a list one stop of the Tab key: the arrow keys move inside. Elements with `data-stop` are its items.
 *
 * @param {string[]} keys of all items
 * @param {string} [preferred] the item that Tab reaches first
 */
export function useRovingFocus(keys, preferred = "") {
  const focused = useSignal("");
  const stop = [focused.value, preferred].find((key) => keys.includes(key)) ?? keys[0];
  return {
    tabIndexOf: (/** @type {string} */ key) => (key === stop ? 0 : -1),
    // A button beside an item, which has no key, leaves the stop where it is.
    onFocusIn: (/** @type {any} */ event) => (focused.value = event.target.dataset.stop ?? focused.peek()),
    onKeyDown: (/** @type {any} */ event) => moveFocus(event, event.currentTarget.querySelectorAll(STOP)),
  };
}

/**
 * Holds the order of a list while a pointer or the focus is in it, so that nothing moves away from under them.
 *
 * @template Row
 * @param {Row[]} rows in their present order
 * @param {(row: Row) => string} keyOf
 * @param {unknown} [cause] a change of it lets the order change: the person wanted it
 */
export function useStillOrder(rows, keyOf, cause) {
  const isPointed = useSignal(false);
  const isFocused = useSignal(false);
  const held = useRef({ cause, keys: /** @type {string[]} */ ([]) });
  const isStill = (isPointed.value || isFocused.value) && held.current.cause === cause;
  const ordered = isStill ? keepOrder(held.current.keys, rows, keyOf) : rows;
  held.current = { cause, keys: ordered.map(keyOf) };
  const handlers = {
    onPointerEnter: () => (isPointed.value = true),
    onPointerLeave: () => (isPointed.value = false),
    onFocusIn: () => (isFocused.value = true),
    onFocusOut: (/** @type {FocusEvent} */ event) => leaves(event) && (isFocused.value = false),
  };
  return { ordered, handlers };
}

/**
 * Returns rows in the order of `keys`, those with other keys last.
 *
 * @template Row
 * @param {string[]} keys
 * @param {Row[]} rows
 * @param {(row: Row) => string} keyOf
 */
export function keepOrder(keys, rows, keyOf) {
  const ranks = new Map(keys.map((key, rank) => [key, rank]));
  const rankOf = (/** @type {Row} */ row) => ranks.get(keyOf(row)) ?? keys.length;
  return rows.toSorted((a, b) => rankOf(a) - rankOf(b));
}
