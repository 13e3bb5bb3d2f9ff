import { effect, useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { followDrafts } from "../../drafts.js";
import { clean, countCharacters } from "../../text/cleaning.js";
import { focusComposer } from "./focus.js";
import { editIn, keepWritten, writtenIn } from "./edits.js";

/** @typedef {import("../../room/room.js").Room} Room */

/**
 * Keeps a text field and what is written in the room on the screen the same, and counts its characters.
 *
 * The field is uncontrolled, so that input methods are not disturbed. It changes rooms at once and not with the next
 * frame: keys that follow belong to the new room.
 *
 * @param {import("@preact/signals").ReadonlySignal<Room>} current
 */
export function useDraftField(current) {
  const area = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const used = useSignal(0);

  const measure = () => {
    used.value = countCharacters(clean(area.current?.value ?? ""));
    grow(area.current);
  };
  const show = (/** @type {string} */ draft) => {
    if (!area.current || area.current.value === draft) return;
    area.current.value = draft;
    measure();
  };
  useLayoutEffect(() => {
    focusComposer();
    followDrafts();
    return effect(() => show(writtenIn(current.value.slug)));
  }, []);

  const onInput = () => {
    keepWritten(current.peek().slug, area.current?.value ?? "");
    measure();
    if (used.value && !editIn(current.peek().slug)) current.peek().notifyTyping();
  };
  const clear = () => {
    if (area.current) area.current.value = "";
    onInput();
  };
  return { area, used, clear, onInput };
}

/** Fits the height to the text in browsers without `field-sizing`. @param {HTMLTextAreaElement | null} area */
export function grow(area) {
  if (!area || CSS.supports("field-sizing", "content")) return;
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight}px`;
}
