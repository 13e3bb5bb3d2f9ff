/**
 * What becomes of a room in which this person is no more: the page forgets what was said there, and keeps what the
 * person wrote and had not sent as a text.
 */

import { LOBBY, visit } from "../browser/route.js";
import { load, loadInTab, save, saveInTab } from "../browser/storage.js";
import { addToDraft, drafts, keepReplyTarget, threadDrafts, threadKeysIn } from "../drafts.js";
import { MINE } from "../messages.js";
import { choose } from "../rooms/choices.js";
import { forgetInList } from "../rooms/list.js";
import { forgetSeen } from "../rooms/seen.js";
import { myTopic } from "./my-topic.js";
import { dismissRemoved, keepLeft, leftIn, removed } from "./removed.js";
import { titleOfRoom } from "./titles.js";

/** @typedef {import("../messages.js").MyRoom} MyRoom */
/** @typedef {import("../visited-rooms.js").VisitedRooms} VisitedRooms */
/** @typedef {import("../visited-rooms.js").Outboxes} Outboxes */

const EDIT = "edit:";
const LEFT_EDITS = "aside:";
/** What the tab keeps of a room. */
const IN_TAB = [EDIT, "place:"];

/** Follows in which rooms the person is no more, and is again. @param {VisitedRooms} visited @param {Outboxes} outboxes */
export function watchRemovals(visited, outboxes) {
  myTopic.listen((event, { slug, why, reason, room }) => {
    if (event === MINE.added) cameBack(room.slug);
    // Who has left a public room may go on reading there.
    const isShut = room && (room.kind !== "public" || why === "banned");
    if (event === MINE.removed && isShut) forget(room, { why, reason }, visited, outboxes);
  });
}

// ---- Internal

/** @param {MyRoom} room @param {{why: string, reason?: string}} end @param {VisitedRooms} visited @param {Outboxes} outboxes */
function forget(room, { why, reason = "" }, visited, outboxes) {
  const { slug } = room;
  const text = textLeft(slug, visited) || leftIn(slug).text;
  // Who has left by themselves needs not be told.
  if (text || why !== "left") keepLeft(slug, { title: titleOfRoom(room), text, why, reason });
  else if (visited.current.peek().slug === slug) visit(LOBBY);
  visited.forget(slug);
  for (const outbox of [outboxes.posts, outboxes.operations]) outbox.forgetRoom(slug);
  drafts.replace(slug, "");
  keepReplyTarget(slug, 0);
  save(LEFT_EDITS + slug, "");
  for (const key of threadKeysIn(slug)) threadDrafts.replace(key, "");
  for (const list of /** @type {const} */ (["pinned", "muted", "closed"])) choose(list, slug, false);
  for (const kept of IN_TAB) saveInTab(kept + slug, null);
  forgetSeen(slug);
  forgetInList(slug);
}

/** Gives the words back to the room that the person is in again. @param {string} slug */
export function cameBack(slug) {
  const left = removed.peek().get(slug);
  if (!left) return;
  dismissRemoved(slug);
  if (left.text) addToDraft(slug, left.text); // they may have begun to write there
}

/** Returns what was written in a room and not sent: posts, edits, the draft, and those of threads. @param {string} slug @param {VisitedRooms} visited */
function textLeft(slug, visited) {
  const room = visited.all.peek().find((each) => each.slug === slug);
  const posts = room?.posts.pending.peek().map(({ message }) => message) ?? [];
  const edits = [...Object.values(leftEdits(slug)), loadInTab(EDIT + slug)?.text ?? ""];
  const begun = [drafts.of(slug), ...threadKeysIn(slug).map((key) => threadDrafts.of(key))];
  return [...posts, ...edits, ...begun].filter((text) => text.trim()).join("\n\n");
}

/** Returns the words of edits that were left half-written, by message. @param {string} slug @returns {Record<string, string>} */
function leftEdits(slug) {
  return Object.fromEntries(JSON.parse(load(LEFT_EDITS + slug) || "[]"));
}
