import { effect, signal } from "@preact/signals";
import { isLooking } from "../browser/looking.js";
import { isMine } from "../me.js";
import { badgeOf } from "../memberships/levels.js";
import { membershipOf, memberships } from "../memberships/memberships.js";
import { labelOfRoom } from "../memberships/titles.js";
import { choices } from "./choices.js";
import { listRooms } from "./list.js";
import { countUnread, markSeen, marks } from "./seen.js";

/** @typedef {import("../room/room.js").Room} Room */
/** @typedef {import("../messages.js").Row} Row */
/** @typedef {import("./seen.js").Mark} Mark */
/** @typedef {import("@preact/signals").ReadonlySignal<Room>} Current */

/**
 * @typedef {object} Opening the person has come to a room, and is there still
 * @property {Room} room
 * @property {Mark | undefined} mark how far this browser had shown it
 * @property {boolean} isPlaced the line is drawn, or there is none
 */

const isHidden = signal(false);

/**
 * Marks unseen messages with a number in the title and a line in the conversation. In rooms of which the person is a
 * member the server keeps the mark, and `memberships/visit.js` draws the line.
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

/** Tells a room when its page is hidden. @param {Current} current */
function trackLookingAway(current) {
  effect(() => {
    if (!isHidden.value) return;
    const room = current.peek();
    if (!memberships.peek().has(room.slug)) room.lookedAway();
  });
}

/**
 * Marks messages on the screen as seen, and elsewhere this person's own. Each time the person comes to a room it first
 * marks where the unseen ones begin.
 *
 * @param {Current} current
 */
function trackSeen(current) {
  /** @type {Set<Room>} */
  const visited = new Set();
  /** @type {Opening | null} */
  let opening = null;
  effect(() => {
    const room = current.value;
    const { history, hasLoaded } = room;
    for (const other of visited) if (other !== room || isHidden.value) passOwn(other);
    if (opening?.room !== room) opening = begin(room);
    if (isHidden.value || !hasLoaded.value || membershipOf(room.slug)) return;
    visited.add(room);
    placeLine(opening);
    const last = history.messages.value.at(-1);
    // An empty room has no last place, and for a moment one that starts over.
    if (!history.last && !room.recovery.hasCaughtUp.value) return;
    markSeen(room.slug, { seq: history.last, epoch: epochOf(room), nth: last ? nthOf(last) : 0 });
  });
}

/** Begins a visit without a line: that of the last one goes. @param {Room} room @returns {Opening} */
function begin(room) {
  if (!memberships.peek().has(room.slug)) room.firstNewSeq.value = 0;
  return { room, mark: marks.peek().get(room.slug), isPlaced: false };
}

/**
 * Draws the line once all has arrived that was said before the person came: what is said while they look is not new.
 *
 * @param {Opening} opening
 */
function placeLine(opening) {
  const { room, mark, isPlaced } = opening;
  if (isPlaced || !room.recovery.hasCaughtUp.value) return;
  opening.isPlaced = true;
  room.firstNewSeq.value = firstUnseenSeq(room, mark);
}

/** Moves the mark and the line over own words: what one says at another window is not new. @param {Room} room */
function passOwn(room) {
  if (memberships.peek().has(room.slug)) return;
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
 * Returns the seq of the others' first message above a mark; 0 if there is none. If even the oldest message held is above
 * it, the true first may be older: then it is the place after the mark.
 *
 * @param {Room} room
 * @param {Mark | undefined} mark
 */
function firstUnseenSeq(room, mark) {
  const messages = room.history.messages.peek();
  if (!mark || !messages[0]) return 0;
  if (room.history.hasMore.peek() && messages[0].seq > mark.seq + 1) return mark.seq + 1;
  return messages.find((message) => message.seq > mark.seq && !isMine(message))?.seq ?? 0;
}

/**
 * Counts new messages in the title: of the room on the screen what comes while the person looks elsewhere, of the other
 * rooms in the sidebar what their rows say. A dot stands for messages that are not counted there.
 *
 * @param {Current} current
 */
function countInTitle(current) {
  const countHere = countOnScreen();
  effect(() => {
    const room = current.value;
    const others = listRooms(room.slug).filter(({ name }) => name !== room.slug);
    const all = [countHere(room), ...others.map((summary) => newsOf(summary.name, countUnread(summary)))];
    const news = all.reduce((sum, { count, isSome }) => ({ count: sum.count + count, isSome: sum.isSome || isSome }));
    const start = news.count ? `(${news.count}) ` : news.isSome ? "• " : "";
    document.title = `${start}${labelOfRoom(room.slug)} · Chatter`;
  });
}

/** @typedef {{count: number, isSome: boolean}} News what the title says of new messages */

/** Returns what counts of a room's new messages: all, or those that name the person. @param {string} slug @param {number} unread @returns {News} */
function newsOf(slug, unread) {
  const mine = membershipOf(slug);
  const badge = mine ? badgeOf(mine) : { mentions: 0, isCounted: true };
  return { count: badge.isCounted ? unread : badge.mentions, isSome: unread > 0 };
}

/** Counts the new messages of the room on the screen. The function that it returns reads signals. */
function countOnScreen() {
  let readTo = 0;
  return (/** @type {Room} */ room) => {
    const { history, slug } = room;
    const mine = membershipOf(slug);
    if (mine) return isLooking.value ? { count: 0, isSome: false } : newsOf(slug, badgeOf(mine).unread);
    if (!isHidden.value) readTo = history.messages.value.at(-1)?.seq ?? 0;
    const isNews = (/** @type {Row} */ message) => !isMine(message) && !message.deleted_at;
    const count = choices.value.muted.includes(slug) ? 0 : history.after(readTo).filter(isNews).length;
    return { count, isSome: count > 0 };
  };
}
