/** The edits under way, one a room: the composer shows them, and the room's draft waits meanwhile. */

import { signal } from "@preact/signals";
import { saveInTab } from "../../browser/storage.js";
import { drafts } from "../../drafts.js";
import { findMessage } from "../conversation/find.js";
import { me } from "../../me.js";
import { showToast } from "../toast.js";
import { focusField } from "./focus.js";
import { putAside, takeAside } from "./put-aside.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @typedef {import("../conversation/find.js").AnyMessage} AnyMessage */

/**
 * @typedef {object} Edit the tab keeps it under these names
 * @property {string} id of the message
 * @property {number} seq of the message; 0 if it had no place when the edit began
 * @property {string} text as far as it is written
 * @property {string} before the text of the message when the edit began
 * @property {boolean} [isResumed] it goes on with words that were put aside
 * @property {number} [ifChanged] the state of the message that is edited; missing if any other is overwritten
 */

/** By slug in the tab: what was written survives its reload. It is no draft, which all tabs share. */
export const EDIT_PREFIX = "edit:";

/** By slug. Replaced, never changed. */
const edits = signal(/** @type {Map<string, Edit>} */ (new Map()));

/** What a person reads whose words have become a draft. */
export const TOO_LATE = "You cannot change that message any more: your words are a draft now";

/** What shows the message where the last edit was begun. @type {HTMLElement | null} */
let origin = null;

/** @param {string} slug */
export function editIn(slug) {
  return edits.value.get(slug);
}

/** @param {string} slug @param {AnyMessage} message @param {HTMLElement | null} [element] that shows it */
export function startEdit(slug, message, element = null) {
  leaveEdit(slug);
  const ifChanged = "seq" in message ? (message.changed ?? message.seq) : undefined;
  const aside = takeAside(slug, message.id);
  const edit = { ...placeOf(message), before: message.message, ifChanged };
  resumeEdit(slug, { ...edit, text: aside ?? message.message, isResumed: aside !== undefined });
  origin = element;
}

/** Begins again with the text of the message. @param {string} slug */
export function startOver(slug) {
  const edit = /** @type {Edit} */ (edits.peek().get(slug));
  resumeEdit(slug, { ...edit, text: edit.before, isResumed: false });
}

/**
 * Goes on with an edit that was refused, which is then to overwrite whatever there is.
 *
 * @param {string} slug
 * @param {AnyMessage} message
 * @param {string} text
 */
export function editAgain(slug, message, text) {
  leaveEdit(slug);
  takeAside(slug, message.id);
  resumeEdit(slug, { ...placeOf(message), text, before: message.message });
}

/** @param {string} slug @param {Edit} edit */
export function resumeEdit(slug, edit) {
  origin = null;
  saveInTab(EDIT_PREFIX + slug, edit);
  edits.value = new Map(edits.peek()).set(slug, edit);
}

/** Edits the person's last message in the room, saved or not. Returns whether there is one. @param {Room} room */
export function editLast(room) {
  const unsaved = findMessage(room, room.posts.pending.peek().at(-1)?.id);
  const last = unsaved ?? room.history.messages.peek().findLast((message) => room.mayEdit(message));
  if (last) startEdit(room.slug, last);
  return last !== undefined;
}

/**
 * Returns the message that is edited, wherever it is. Reads signals.
 *
 * @param {Room} room
 * @param {Edit} edit
 * @returns {AnyMessage | undefined | null} undefined while it is read, null where there is none
 */
export function editedMessage(room, { id, seq }) {
  return seq ? room.quoteOf(seq) : (findMessage(room, id) ?? null);
}

/**
 * Whether a guest's right to change a message has ended with the connection that said it. Reads signals.
 *
 * @param {Room} room
 * @param {AnyMessage} message
 */
export function isInVain(room, message) {
  const isDeleted = "seq" in message && message.deleted_at !== undefined;
  return me.value.author === undefined && !isDeleted && !room.mayEdit(message);
}

/** Saves the edit. What cannot be an edit any more becomes a draft. @param {Room} room @param {string} text */
export function saveEdit(room, text) {
  const edit = /** @type {Edit} */ (edits.peek().get(room.slug));
  const message = editedMessage(room, edit);
  if (!message || ("seq" in message && message.deleted_at)) {
    addToDraft(room.slug, text);
    showToast("The message was deleted meanwhile");
  } else if (isInVain(room, message)) {
    addToDraft(room.slug, text);
    showToast(TOO_LATE);
  } else room.edit(message, text, edit.ifChanged ? { if_changed: edit.ifChanged, before: edit.before } : {});
  endEdit(room.slug);
}

/** Keeps words that cannot be an edit any more, below what is written there. @param {string} slug @param {string} text */
export function addToDraft(slug, text) {
  drafts.replace(slug, joined(drafts.of(slug), text));
}

/** Keeps words that cannot be an edit any more, above what the person may be writing. @param {string} slug @param {string} text */
export function putBeforeDraft(slug, text) {
  drafts.replace(slug, joined(text, drafts.of(slug)));
}

/** Leaves the message as it is. What was written waits for the next edit of it. @param {string} slug */
export function leaveEdit(slug) {
  const edit = edits.peek().get(slug);
  if (!edit) return;
  putWordsAside(slug, edit);
  endEdit(slug);
}

/** Puts the words of all edits aside: the tab may be closed for good. */
export function putEditsAside() {
  for (const [slug, edit] of edits.peek()) putWordsAside(slug, edit);
}

/** @param {string} slug @param {Edit} edit */
function putWordsAside(slug, { id, text, before }) {
  if (text.trim() && text !== before) putAside(slug, id, text);
}

/** Ends an edit: the composer shows the draft again. @param {string} slug */
export function endEdit(slug) {
  const others = new Map(edits.peek());
  if (!others.delete(slug)) return;
  edits.value = others;
  saveInTab(EDIT_PREFIX + slug, null);
}

/** Gives the focus back to the panel in which the edit was begun that is over; else the composer keeps it. */
export function focusAfterEdit() {
  if (origin?.isConnected && origin.closest(".panel")) origin.focus();
  else focusField();
}

/** Returns what the composer of a room shows. Reads signals. @param {string} slug */
export function writtenIn(slug) {
  return editIn(slug)?.text ?? drafts.of(slug);
}

/** @param {string} slug @param {string} text */
export function keepWritten(slug, text) {
  const edit = edits.peek().get(slug);
  if (!edit) return drafts.keep(slug, text);
  edit.text = text;
  saveInTab(EDIT_PREFIX + slug, edit);
}

/** @param {string[]} parts */
function joined(...parts) {
  return parts.filter((part) => part.trim()).join("\n");
}

/** @param {AnyMessage} message */
function placeOf(message) {
  return { id: message.id, seq: "seq" in message ? message.seq : 0 };
}
