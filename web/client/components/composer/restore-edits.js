/** Goes on after a reload with what was being edited; what a closed tab had waits for the next edit of its message. */

import { effect, untracked } from "@preact/signals";
import { loadInTab, saveInTab } from "../../browser/storage.js";
import { showToast } from "../toast.js";
import { EDIT_PREFIX, editedMessage, editIn, putBeforeDraft, resumeEdit, TOO_LATE } from "./edits.js";
import { putAside, takeAside } from "./put-aside.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @typedef {import("./edits.js").Edit} Edit */
/** @typedef {import("./edits.js").AnyMessage} AnyMessage */

/**
 * Looks in each room that is shown for an edit from before the reload, once its message is here.
 *
 * @param {import("@preact/signals").ReadonlySignal<Room>} current
 */
export function restoreEdits(current) {
  /** By slug what is still to be decided; null for nothing. @type {Map<string, Edit | null>} */
  const kept = new Map();
  return effect(() => {
    const room = current.value;
    if (!kept.has(room.slug)) kept.set(room.slug, loadInTab(EDIT_PREFIX + room.slug));
    const edit = kept.get(room.slug);
    if (!edit || !room.hasLoaded.value) return;
    const message = editedMessage(room, edit);
    if (message === undefined) return;
    const mayEdit = message !== null && room.mayEdit(message);
    kept.set(room.slug, null);
    untracked(() => restore(room.slug, edit, message, mayEdit));
  });
}

/**
 * Keeps the words of each edit that is refused in the room that is shown, until its message is edited again.
 *
 * @param {import("@preact/signals").ReadonlySignal<Room>} current
 */
export function keepRefusedEdits(current) {
  /** The ids of those that are kept. @type {Set<string>} */
  const kept = new Set();
  return effect(() => {
    const { slug, operations, rows } = current.value;
    for (const { id, kind, status, seq, message = "" } of operations.pending.value) {
      const row = rows.get(seq);
      if (kind !== "edit" || status !== "failed" || !row || kept.has(id)) continue;
      kept.add(id);
      putAside(slug, row.id, message);
    }
  });
}

/**
 * Goes on with an edit, or makes a draft of its words where the person may not edit the message any more.
 *
 * @param {string} slug
 * @param {Edit} edit
 * @param {AnyMessage | null} message
 * @param {boolean} mayEdit
 */
function restore(slug, edit, message, mayEdit) {
  takeAside(slug, edit.id); // put there as the page went
  if (mayEdit && !editIn(slug)) return resumeEdit(slug, edit);
  if (!editIn(slug)) saveInTab(EDIT_PREFIX + slug, null); // else it is of the edit that has begun since
  if (!edit.text.trim() || edit.text === message?.message) return;
  putBeforeDraft(slug, edit.text);
  showToast(TOO_LATE);
}
