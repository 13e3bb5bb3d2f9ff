import { effect, signal } from "@preact/signals";
import { isMine } from "../me.js";
import { choices } from "./choices.js";
import { listRooms } from "./list.js";
import { countUnread, markSeen, marks } from "./seen.js";

/** @typedef {import("../room/room.js").Room} Room */
/** @typedef {import("../messages.js").Row} Row */
/** @typedef {{readonly value: Room}} Current */

const isHidden = signal(false);

/**
 * Marks unseen messages with a number in the title and a line in the conversation.
 *
 * @param {Current} current
 */
export function watchUnread(current) {
  const update = () => (isHidden.value = document.visibilityState === "hidden");
  document.addEventListener("visibilitychange", update);
  update();
  trackLookingAway(current);
  trackSeen(current);
  countInTitle(current);
}

/** Tells a room when its page is hidden or another room is shown. @param {Current} current */
function trackLookingAway(current) {
  effect(() => {
    const room = current.value;
    return isHidden.value ? undefined : () => room.lookedAway();
  });
}

/**
 * Marks messages on the screen as seen, and elsewhere this person's own. At the first visit in this tab it first marks
 * where the unseen ones begin.
 *
 * @param {Current} current
 */
function trackSeen(current) {
  /** @type {Set<Room>} */
  const visited = new Set();
  effect(() => {
    const room = current.value;
    const { history, hasLoaded } = room;
    for (const other of visited) if (other !== room || isHidden.value) passOwn(other);
    if (isHidden.value || !hasLoaded.value) return;
    if (!visited.has(room)) room.firstNewSeq.value = firstUnseenSeq(room);
    visited.add(room);
    const last = history.messages.value.at(-1);
    if (last) markSeen(room.slug, { seq: history.last, epoch: epochOf(room), nth: nthOf(last) });
  });
}

/** Moves the mark and the line over own words: what one says at another window is not new. @param {Room} room */
function passOwn(room) {
  const seen = marks.peek().get(room.slug)?.seq ?? 0;
  const unseen = room.history.after(seen);
  const other = unseen.findIndex((message) => !isMine(message));
  const passed = (other < 0 ? unseen : unseen.slice(0, other)).at(-1);
  if (!passed) return;
  markSeen(room.slug, { seq: passed.seq, epoch: epochOf(room), nth: nthOf(passed) });
  if (room.firstNewSeq.peek() <= passed.seq) room.firstNewSeq.value = passed.seq + 1;
}

/** @param {Room} room */
function epochOf(room) {
  return room.recovery.position.epoch ?? 0;
}

/** Returns how many messages there are up to one; a server without a log counts its places. @param {Row} message */
function nthOf({ seq, nth = seq }) {
  return nth;
}

/**
 * Returns the seq of the others' first message that no earlier visit has shown; 0 if there is none. If even the oldest
 * message held is new, the true first may be older, so that is 0 too.
 *
 * @param {Room} room
 */
function firstUnseenSeq(room) {
  const mark = marks.peek().get(room.slug);
  const messages = room.history.messages.peek();
  if (!mark || !messages[0] || messages[0].seq > mark.seq) return 0;
  return messages.find((message) => message.seq > mark.seq && !isMine(message))?.seq ?? 0;
}

/**
 * Counts new messages in the title: of the room on the screen what others say while the page is hidden, of the other
 * rooms in the sidebar what their rows say. A muted room does not count.
 *
 * @param {Current} current
 */
function countInTitle(current) {
  let readTo = 0;
  effect(() => {
    const { history, slug } = current.value;
    if (!isHidden.value) readTo = history.messages.value.at(-1)?.seq ?? 0;
    const isNews = (/** @type {Row} */ message) => !isMine(message) && !message.deleted_at;
    const here = history.after(readTo).filter(isNews).length;
    const others = listRooms(slug).filter((room) => room.name !== slug);
    const counts = others.map(countUnread);
    const unread = counts.reduce((sum, count) => sum + count, choices.value.muted.includes(slug) ? 0 : here);
    document.title = `${unread ? `(${unread}) ` : ""}#${slug} · Chatter`;
  });
}
