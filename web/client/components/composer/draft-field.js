import { effect, useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { fillField } from "../../browser/focus.js";
import { followDrafts } from "../../drafts.js";
import { clean, countCharacters } from "../../text/cleaning.js";
import { focusComposer } from "./focus.js";
import { editIn, keepWritten, writtenIn } from "./edits.js";

/** @typedef {import("../../room/room.js").Room} Room */

/**
 * Keeps a text field and a draft the same, and counts its characters.
 *
 * The field is uncontrolled, so that input methods are not disturbed. It shows another draft at once and not with the
 * next frame: keys that follow belong to that one.
 *
 * @param {() => string} read returns the draft, and reads a signal that moves where it becomes another one
 * @param {(text: string) => void} keep
 */
export function useDraft(read, keep) {
  const area = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const used = useSignal(0);

  const measure = () => {
    used.value = countCharacters(clean(area.current?.value ?? ""));
    grow(area.current);
  };
  const show = (/** @type {string} */ draft) => {
    if (!area.current || area.current.value === draft) return;
    fillField(area.current, draft);
    measure();
  };
  useLayoutEffect(() => effect(() => show(read())), []);
  const onInput = () => {
    keep(area.current?.value ?? "");
    measure();
  };
  return { area, used, onInput };
}

/**
 * Keeps the composer's field and what is written in the room on the screen the same.
 *
 * @param {import("@preact/signals").ReadonlySignal<Room>} current
 */
export function useRoomDraft(current) {
  useLayoutEffect(() => {
    focusComposer();
    followDrafts();
  }, []);
  const draft = useDraft(
    () => writtenIn(current.value.slug),
    (text) => keepWritten(current.peek().slug, text),
  );
  const onInput = () => {
    draft.onInput();
    if (draft.used.peek() && !editIn(current.peek().slug)) current.peek().notifyTyping();
  };
  const clear = () => {
    if (draft.area.current) draft.area.current.value = "";
    onInput();
  };
  return { ...draft, onInput, clear };
}

/** Fits the height to the text in browsers without `field-sizing`. @param {HTMLTextAreaElement | null} area */
function grow(area) {
  if (!area || CSS.supports("field-sizing", "content")) return;
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight}px`;
}
