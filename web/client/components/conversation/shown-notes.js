/** Which of what became of a room is shown, and between which messages. */

import { partForMembers } from "../for-members.js";

/** @typedef {import("../../messages.js").RoomNote} RoomNote */
/** @typedef {import("../../room/room.js").Room} Room */

/** @type {import("../../messages.js").MemberChange[]} */
const COMING_AND_GOING = ["joined", "left", "added", "removed"];
/** @type {RoomNote[]} */
const NONE = [];

export const RoomNotes = partForMembers("RoomNotes");

/** Returns the notes that are shown of a room: coming and going may be off. Reads signals. @param {Room} room */
export function shownNotes({ notes, charter }) {
  const { kind, settings } = charter.view.value ?? {};
  if (kind === "direct") return notes.list.value.filter((note) => !isOfOpening(note));
  const isShown = (/** @type {RoomNote} */ { change }) => !change || !COMING_AND_GOING.includes(change);
  return settings?.join_notes === "off" ? notes.list.value.filter(isShown) : notes.list.value;
}

/** Whether an entry only opens a direct room: its two people know who they are. @param {RoomNote} note */
function isOfOpening({ change, set }) {
  return Boolean(set?.kind) || change === "added" || change === "joined";
}

/**
 * Returns the notes between two places; the same empty list where there are none.
 *
 * @param {RoomNote[]} notes
 * @param {number} after
 * @param {number} before
 */
export function notesBetween(notes, after, before) {
  const found = notes.filter(({ seq }) => seq > after && seq < before);
  return found.length ? found : NONE;
}
