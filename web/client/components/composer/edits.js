/** The edits under way, one a room: the composer shows them, and the room's draft waits meanwhile. */

import { signal } from "@preact/signals";
import { draftOf, keepDraft } from "../../drafts.js";
import { findMessage } from "../conversation/find.js";
import { showToast } from "../toast.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @typedef {import("../conversation/find.js").AnyMessage} AnyMessage */

/**
 * @typedef {object} Edit
 * @property {string} id of the message
 * @property {string} text as far as it is written
 * @property {number} [ifChanged] the state of the message that is edited; missing if any other is overwritten
 */

/** By slug. Replaced, never changed. */
const edits = signal(/** @type {Map<string, Edit>} */ (new Map()));

/** @param {string} slug */
export function editIn(slug) {
  return edits.value.get(slug);
}

/** @param {string} slug @param {AnyMessage} message */
export function startEdit(slug, message) {
  const ifChanged = "seq" in message ? (message.changed ?? message.seq) : undefined;
  set(slug, { id: message.id, text: message.message, ifChanged });
}

/**
 * Goes on with an edit that was refused, which is then to overwrite whatever there is.
 *
 * @param {string} slug
 * @param {string} id
 * @param {string} text
 */
export function resumeEdit(slug, id, text) {
  set(slug, { id, text });
}

/** Edits the person's last message in the room, saved or not. Returns whether there is one. @param {Room} room */
export function editLast(room) {
  const unsaved = findMessage(room, room.posts.pending.peek().at(-1)?.id);
  const last = unsaved ?? room.history.messages.peek().findLast((message) => room.mayEdit(message));
  if (last) startEdit(room.slug, last);
  return last !== undefined;
}

/** Saves the edit. What is written for a message that was deleted meanwhile becomes a draft. @param {Room} room @param {string} text */
export function saveEdit(room, text) {
  const { id, ifChanged } = /** @type {Edit} */ (edits.peek().get(room.slug));
  const message = findMessage(room, id);
  if (!message || ("seq" in message && message.deleted_at)) {
    addToDraft(room.slug, text);
    showToast("The message was deleted meanwhile");
  } else room.edit(message, text, ifChanged);
  leaveEdit(room.slug);
}

/** Keeps words that cannot be an edit any more. @param {string} slug @param {string} text */
export function addToDraft(slug, text) {
  keepDraft(slug, [draftOf(slug), text].filter(Boolean).join("\n"));
  edits.value = new Map(edits.peek()); // the composer, which reads them, shows the draft
}

/** Leaves the message as it is: the composer shows the draft again. @param {string} slug */
export function leaveEdit(slug) {
  const others = new Map(edits.peek());
  if (others.delete(slug)) edits.value = others;
}

/** Returns what the composer of a room shows. @param {string} slug */
export function writtenIn(slug) {
  return editIn(slug)?.text ?? draftOf(slug);
}

/** @param {string} slug @param {string} text */
export function keepWritten(slug, text) {
  const edit = edits.peek().get(slug);
  if (edit) edit.text = text;
  else keepDraft(slug, text);
}

/** @param {string} slug @param {Edit} edit */
function set(slug, edit) {
  edits.value = new Map(edits.peek()).set(slug, edit);
}
