import { effect, signal } from "@preact/signals";
import { name } from "../me.js";
import { lastSeen, markSeen } from "./list.js";

/** @typedef {import("../room/room.js").Room} Room */
/** @typedef {{readonly value: Room}} Current */

const isHidden = signal(false);

/**
 * Marks unseen messages with a number in the title and a line in the conversation.
 *
 * @param {Current} current
 */
export function countUnread(current) {
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
 * Marks messages on the screen as seen. At the first visit in this tab it first marks where the unseen ones begin.
 *
 * @param {Current} current
 */
function trackSeen(current) {
  /** @type {Set<Room>} */
  const visited = new Set();
  effect(() => {
    const room = current.value;
    if (isHidden.value || !room.hasLoaded.value) return;
    if (!visited.has(room)) room.firstNewSeq.value = firstUnseenSeq(room);
    visited.add(room);
    if (room.history.messages.value.length) markSeen(room.slug, room.history);
  });
}

/**
 * Returns the first seq that no earlier visit has shown; 0 if there is none. If even the oldest message held is new,
 * the true first may be older, so that is 0 too.
 *
 * @param {Room} room
 */
function firstUnseenSeq(room) {
  const place = lastSeen.peek().get(room.slug);
  const messages = room.history.messages.peek();
  const at = place ? messages.findIndex((message) => message.seq > place.seq) : 0;
  return at > 0 ? (messages[at]?.seq ?? 0) : 0;
}

/** Counts the others' messages in the title while the page is hidden. @param {Current} current */
function countInTitle(current) {
  let readTo = 0;
  effect(() => {
    const { history, slug } = current.value;
    if (!isHidden.value) readTo = history.messages.value.at(-1)?.seq ?? 0;
    const unread = history.after(readTo).filter((message) => message.name !== name.value).length;
    document.title = `${unread ? `(${unread}) ` : ""}#${slug} · Chatter`;
  });
}
